//! The key by which clients know this server: Ed25519, in a file that only we read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::ssh_key::{Fingerprint, LineEnding};
use russh::keys::{Algorithm, HashAlg, PrivateKey};
use uuid::Uuid;

/// The file's name in the folder that it is given.
pub const FILE_NAME: &str = "ssh_host_ed25519_key";

/// The server's key.
#[derive(Debug, Clone)]
pub struct HostKey {
    key: PrivateKey,
}

/// The host key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// Reading or writing failed.
    #[error("the host key {} cannot be read or made: {source}; it and its folder must belong to the user who serves", path.display())]
    File {
        /// The file.
        path: PathBuf,
        #[source]
        /// What the system said.
        source: io::Error,
    },
    /// Others may read it.
    #[error("the host key {} can be read by others (mode {mode:03o}); say chmod 600, or remove it if it may have been copied", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not an Ed25519 key without a passphrase.
    #[error("the host key {} is not an Ed25519 key in OpenSSH's format without a passphrase: {reason}; move it away to have a new one made, which partners then have to accept", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The system gave no random bytes.
    #[error("no random bytes for a host key: {0}")]
    Random(String),
}

impl HostKey {
    /// Reads the key in `folder`, or makes one there (mode 0600) at the first start.
    ///
    /// # Errors
    /// When the file cannot be read or made, can be read by others, or holds something else.
    pub fn load_or_create(folder: &Path) -> Result<HostKey, HostKeyError> {
        let path = folder.join(FILE_NAME);
        match read(&path)? {
            Some(found) => Ok(found),
            None => {
                create(folder, &path)?;
                let missing = || HostKeyError::File {
                    path: path.clone(),
                    source: io::ErrorKind::NotFound.into(),
                };
                // Read again rather than kept: another process may have been faster, and its key is the one.
                read(&path)?.ok_or_else(missing)
            }
        }
    }

    /// As a line of a known_hosts file without the host: `ssh-ed25519 AAAA…`.
    pub fn openssh(&self) -> String {
        let mut public = self.key.public_key().clone();
        public.set_comment("");
        public
            .to_openssh()
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        let fingerprint: Fingerprint = self.key.fingerprint(HashAlg::Sha256);
        fingerprint.to_string()
    }

    pub(super) fn private(&self) -> PrivateKey {
        self.key.clone()
    }
}

fn read(path: &Path) -> Result<Option<HostKey>, HostKeyError> {
    let failed = |source| HostKeyError::File {
        path: path.to_owned(),
        source,
    };
    let unreadable = |reason: String| HostKeyError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if mode & 0o077 != 0 {
        return Err(HostKeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let text = fs::read(path).map_err(failed)?;
    let key = PrivateKey::from_openssh(&text).map_err(|error| unreadable(error.to_string()))?;
    if key.is_encrypted() {
        return Err(unreadable("it has a passphrase".to_owned()));
    }
    if key.algorithm() != Algorithm::Ed25519 {
        return Err(unreadable(format!(
            "it is a key of the kind {}",
            key.algorithm()
        )));
    }
    Ok(Some(HostKey { key }))
}

/// Writes a new key whole and then gives it its name, unless there is one of that name by now.
fn create(folder: &Path, path: &Path) -> Result<(), HostKeyError> {
    let failed = |source| HostKeyError::File {
        path: path.to_owned(),
        source,
    };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| HostKeyError::Random(error.to_string()))?;
    let pair = KeypairData::from(Ed25519Keypair::from_seed(&seed));
    let text = PrivateKey::new(pair, "supercargo")
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(|error| HostKeyError::Random(error.to_string()))?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let draft = folder.join(format!(".{FILE_NAME}.{}", Uuid::new_v4().simple()));
    let written =
        write_draft(&draft, text.as_bytes()).and_then(|()| match fs::hard_link(&draft, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => File::open(folder).and_then(|folder| folder.sync_all()),
        });
    // A draft that stays behind is as private as the key.
    let _ = fs::remove_file(&draft);
    written.map_err(failed)
}

fn write_draft(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("keys");
        let made = HostKey::load_or_create(&folder).expect("makes");
        let loaded = HostKey::load_or_create(&folder).expect("loads");
        assert_eq!(made.fingerprint(), loaded.fingerprint());
        assert!(
            made.openssh().starts_with("ssh-ed25519 AAAA"),
            "{}",
            made.openssh()
        );
        assert_eq!(made.openssh().split(' ').count(), 2);
        let mode = fs::metadata(folder.join(FILE_NAME))
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(&folder).expect("lists").count(),
            1,
            "no draft stays behind"
        );
    }

    #[test]
    fn an_exposed_or_foreign_file_is_refused_and_left_alone() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join(FILE_NAME);
        fs::write(&path, "not a key").expect("writes");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("sets");
        assert!(matches!(
            HostKey::load_or_create(root.path()),
            Err(HostKeyError::Exposed { mode: 0o644, .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("sets");
        assert!(matches!(
            HostKey::load_or_create(root.path()),
            Err(HostKeyError::Unreadable { .. })
        ));
        assert_eq!(fs::read_to_string(&path).expect("reads"), "not a key");
    }
}
