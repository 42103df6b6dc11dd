//! The console's own files, in the binary. Each is served under a name that changes with its bytes, so that a browser
//! may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

struct Asset {
    name: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
    path: LazyLock<String>,
}

macro_rules! asset {
    ($constant:ident, $name:literal, $kind:literal) => {
        static $constant: Asset = Asset {
            name: $name,
            kind: $kind,
            bytes: include_bytes!(concat!("assets/", $name)),
            path: LazyLock::new(|| {
                let digest = hex::encode(Sha256::digest(include_bytes!(concat!("assets/", $name))));
                format!("/assets/{}/{}", digest.get(..12).unwrap_or_default(), $name)
            }),
        };
    };
}
asset!(STYLES, "console.css", "text/css; charset=utf-8");
asset!(SCRIPT, "console.js", "text/javascript; charset=utf-8");
asset!(ICONS, "icons.svg", "image/svg+xml");
asset!(MARK, "mark.svg", "image/svg+xml");

/// Where the styles are.
pub(crate) fn styles_path() -> &'static str {
    &STYLES.path
}
/// Where the script is.
pub(crate) fn script_path() -> &'static str {
    &SCRIPT.path
}
/// Where the sprite of signs is.
pub(crate) fn icons_path() -> &'static str {
    &ICONS.path
}
/// Where the product's mark is.
pub(crate) fn mark_path() -> &'static str {
    &MARK.path
}

/// Gives an asset. The digest in its path only tells versions apart.
pub(crate) async fn serve(Path((_digest, name)): Path<(String, String)>) -> Response {
    let found = [&STYLES, &SCRIPT, &ICONS, &MARK]
        .into_iter()
        .find(|asset| asset.name == name);
    match found {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ],
            asset.bytes,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
