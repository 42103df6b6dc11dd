//! The host key that a partner's server must show.

use russh::keys::ssh_key::Fingerprint;
use russh::keys::{HashAlg, PublicKey};

/// A pinned host key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HostKeyPin {
    /// `SHA256:…`.
    Fingerprint(Fingerprint),
    /// The whole key.
    Key(Box<PublicKey>),
}

/// Kinds of host keys that libssh2 knows, in the order in which they are asked for.
pub(super) const KINDS: [&str; 5] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512,rsa-sha2-256",
];

impl HostKeyPin {
    /// Reads a fingerprint, a key, or a line of a known_hosts file.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn parse(text: &str) -> Result<HostKeyPin, String> {
        let text = text.trim();
        if text.starts_with("SHA256:") {
            let unpadded = text.trim_end_matches('=');
            return unpadded
                .parse()
                .map(HostKeyPin::Fingerprint)
                .map_err(|error| error.to_string());
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let is_kind = |word: &&str| word.starts_with("ssh-") || word.starts_with("ecdsa-");
        let at = words
            .iter()
            .position(is_kind)
            .ok_or("no kind of key is named")?;
        let key = words
            .get(at..at + 2)
            .ok_or("the key itself is missing")?
            .join(" ");
        let key = PublicKey::from_openssh(&key).map_err(|error| error.to_string())?;
        Ok(HostKeyPin::Key(Box::new(key)))
    }

    /// Is this the key? `blob` is the key as it goes over the wire.
    pub(super) fn is(&self, blob: &[u8]) -> bool {
        let Ok(presented) = PublicKey::from_bytes(blob) else {
            return false;
        };
        match self {
            HostKeyPin::Fingerprint(pinned) => presented.fingerprint(pinned.algorithm()) == *pinned,
            HostKeyPin::Key(pinned) => presented.key_data() == pinned.key_data(),
        }
    }

    /// The kinds of key to ask the server for, each in a connection of its own, until it shows the right one: a
    /// server with several keys shows but one of them, and a fingerprint does not say of what kind it is.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        match self {
            HostKeyPin::Fingerprint(_) => KINDS.to_vec(),
            HostKeyPin::Key(key) => {
                let name = key.algorithm().to_string();
                let kind = KINDS.into_iter().find(|kind| *kind == name);
                vec![kind.unwrap_or(KINDS[KINDS.len() - 1])]
            }
        }
    }

    /// For people.
    pub(super) fn fingerprint(&self) -> String {
        match self {
            HostKeyPin::Fingerprint(pinned) => pinned.to_string(),
            HostKeyPin::Key(key) => key.fingerprint(HashAlg::Sha256).to_string(),
        }
    }
}

/// A presented key for people.
pub(super) fn fingerprint_of(blob: &[u8]) -> String {
    PublicKey::from_bytes(blob).map_or_else(
        |_| "of an unknown kind".to_owned(),
        |key| key.fingerprint(HashAlg::Sha256).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made for this test with ssh-keygen; its private half is thrown away.
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHDa6Du00j37UjwmgqhC4btNlJUxf9G7stUcGYly1Qlj";

    #[test]
    fn pins_are_read_in_three_forms() {
        let key = PublicKey::from_openssh(KEY).expect("a key");
        let blob = key.to_bytes().expect("bytes");
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        for text in [
            KEY.to_owned(),
            format!("{KEY} a comment"),
            format!("[sftp.example.com]:2222 {KEY}"),
            fingerprint.clone(),
            format!("{fingerprint}="),
            format!(" {fingerprint}\n"),
        ] {
            let pin = HostKeyPin::parse(&text).expect("reads");
            assert!(pin.is(&blob), "{text}");
            assert_eq!(pin.fingerprint(), fingerprint);
            assert!(!pin.is(&blob[1..]) && !pin.is(b""));
            let mut other = blob.clone();
            other[40] ^= 1;
            assert!(!pin.is(&other), "{text}");
        }
        assert_eq!(
            HostKeyPin::parse(KEY).expect("reads").kinds(),
            ["ssh-ed25519"]
        );
        assert_eq!(
            HostKeyPin::parse(&fingerprint).expect("reads").kinds(),
            KINDS
        );
    }

    #[test]
    fn what_is_no_pin() {
        for text in [
            "",
            "SHA256:short",
            "MD5:aa:bb",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "AAAAC3NzaC1lZDI1NTE5",
        ] {
            HostKeyPin::parse(text).expect_err(text);
        }
    }
}
