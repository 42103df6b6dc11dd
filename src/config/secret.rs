//! Secrets by reference: a profile or the settings name an environment variable or a file, never the secret itself.

use std::path::Path;

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource<'a> {
    /// The environment variable of this name.
    Environment(&'a str),
    /// The file of this name, relative to the data folder; its trailing line end is no part of the secret.
    File(&'a str),
}

/// A secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretRefusal {
    /// The environment variable is not set.
    #[error(
        "the environment variable {0} is not set; set it for the gateway's process, or name a file instead"
    )]
    NotSet(String),
    /// The file can not be read.
    #[error(
        "the secret in {path} can not be read: {cause}; check that the file is there and that the gateway may read it"
    )]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// Reads a secret. `data` is the data folder, against which relative file names are taken.
///
/// # Errors
/// Where the variable is not set or the file can not be read.
pub fn read(source: &SecretSource<'_>, data: &Path) -> Result<String, SecretRefusal> {
    match source {
        SecretSource::Environment(name) => {
            std::env::var(name).map_err(|_| SecretRefusal::NotSet((*name).to_owned()))
        }
        SecretSource::File(name) => {
            let path = data.join(name);
            std::fs::read_to_string(&path)
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|cause| SecretRefusal::Unreadable {
                    path: path.display().to_string(),
                    cause,
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_text_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("p"), "s3cret \r\n").unwrap();
        assert_eq!(
            read(&SecretSource::File("p"), folder.path()).unwrap(),
            "s3cret "
        );
        let refusal = read(&SecretSource::File("absent"), folder.path())
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("absent"), "{refusal}");
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let refusal = read(
            &SecretSource::Environment("SUPERCARGO_TEST_NOT_SET"),
            Path::new("."),
        )
        .unwrap_err()
        .to_string();
        assert!(refusal.contains("SUPERCARGO_TEST_NOT_SET"), "{refusal}");
    }
}
