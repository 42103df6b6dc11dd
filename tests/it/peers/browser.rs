//! A real browser: Chromium behind its driver, headless, with a profile of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A driver and the folder of its browser; both end with this value.
pub struct Browser {
    /// Speaks to the browser.
    pub client: Client,
    _driver: Child,
    _profile: tempfile::TempDir,
}

fn first_of(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|candidate| candidate.is_file())
}

/// Starts a browser. `None`, after a printed word, where there is none: the test should return.
///
/// # Panics
/// When there is one and it does not start.
pub async fn start() -> Option<Browser> {
    let (Some(driver), Some(_)) = (
        first_of(&["chromedriver"]),
        first_of(&["chromium", "chromium-browser", "google-chrome"]),
    ) else {
        super::left_out(
            &super::test_name(),
            "needs Chromium and its driver: packages chromium and chromium-driver; tests/run installs them",
        );
        return None;
    };
    let profile = tempfile::tempdir().expect("a folder for the browser");
    let mut driver = Command::new(driver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the driver starts");
    let port = port_of(&mut driver).await;
    let arguments = vec![
        "--headless".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--hide-scrollbars".to_owned(),
        "--force-device-scale-factor=1".to_owned(),
        format!("--user-data-dir={}", profile.path().display()),
    ];
    let options = serde_json::json!({ "args": arguments });
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .expect("the browser starts");
    Some(Browser {
        client,
        _driver: driver,
        _profile: profile,
    })
}

/// A command of the browser's own protocol, for what WebDriver has no word for: the size and scheme of the screen, and
/// pictures of a whole page.
#[derive(Debug)]
struct OwnCommand {
    name: &'static str,
    parameters: serde_json::Value,
}

impl WebDriverCompatibleCommand for OwnCommand {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!(
            "session/{}/goog/cdp/execute",
            session_id.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _request_url: &url::Url) -> (axum::http::Method, Option<String>) {
        let body = serde_json::json!({ "cmd": self.name, "params": self.parameters });
        (axum::http::Method::POST, Some(body.to_string()))
    }
}

impl Browser {
    async fn own(&self, name: &'static str, parameters: serde_json::Value) -> serde_json::Value {
        self.client
            .issue_cmd(OwnCommand { name, parameters })
            .await
            .unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Makes the screen so large, in CSS pixels, and its scheme light or dark.
    pub async fn screen(&self, width: u32, height: u32, dark: bool) {
        let size = serde_json::json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.own("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = serde_json::json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.own("Emulation.setEmulatedMedia", features).await;
    }

    /// A picture of the whole page as PNG, cut at `height_max` pixels.
    pub async fn picture(&self, height_max: i64) -> Vec<u8> {
        use base64::Engine;
        let (width, height) = loop {
            let metrics = self
                .own("Page.getLayoutMetrics", serde_json::json!({}))
                .await;
            let size = &metrics["cssContentSize"];
            let (width, height) = (size["width"].as_i64(), size["height"].as_i64());
            match (width.unwrap_or(800), height.unwrap_or(600)) {
                // A page that was just opened may not be laid out yet.
                (0, _) | (_, 0) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                size => break size,
            }
        };
        let clip = serde_json::json!({ "x": 0, "y": 0, "width": width, "height": height.min(height_max), "scale": 1 });
        let shot = self
            .own(
                "Page.captureScreenshot",
                serde_json::json!({ "captureBeyondViewport": true, "clip": clip }),
            )
            .await;
        base64::engine::general_purpose::STANDARD
            .decode(shot["data"].as_str().unwrap_or_default())
            .expect("a picture in base64")
    }
}

/// The port that the driver chose, as it says on its output.
async fn port_of(driver: &mut Child) -> u16 {
    let output = driver.stdout.take().expect("the driver's output");
    let mut lines = BufReader::new(output).lines();
    let found = tokio::time::timeout(Duration::from_secs(30), async {
        while let Ok(Some(line)) = lines.next_line().await {
            let port = line
                .rsplit_once("port ")
                .map(|(_, rest)| rest.trim_end_matches('.').trim())
                .and_then(|digits| digits.parse().ok());
            if (line.contains("success") || line.contains("started"))
                && let Some(port) = port
            {
                return Some(port);
            }
        }
        None
    })
    .await;
    // The driver goes on writing; nobody reads it, and its pipe is large enough for a test.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    found.ok().flatten().expect("the driver says its port")
}
