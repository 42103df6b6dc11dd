//! What a client is told: refusals with a sentence in them, and how files look in a listing.

use chrono::{DateTime, Utc};
use russh_sftp::protocol::{File, FileAttributes, FileMode, Packet, Status, StatusCode};

use super::desk::DeskFull;
use super::path::PathRefused;
use super::port::MailboxEntry;
use super::upload::UploadFault;
use crate::transport::port::{NotTaken, Unavailable};

/// A request that is not carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// What the client's program looks at.
    pub code: StatusCode,
    /// What a person reads.
    pub message: String,
}

impl Refused {
    /// The client may not do this.
    pub fn denied(message: impl Into<String>) -> Refused {
        Refused {
            code: StatusCode::PermissionDenied,
            message: message.into(),
        }
    }

    /// It did not work.
    pub fn failed(message: impl Into<String>) -> Refused {
        Refused {
            code: StatusCode::Failure,
            message: message.into(),
        }
    }

    /// There is nothing of that name.
    pub fn missing(message: impl Into<String>) -> Refused {
        Refused {
            code: StatusCode::NoSuchFile,
            message: message.into(),
        }
    }

    /// The mailbox does not do such things.
    pub fn unsupported(message: impl Into<String>) -> Refused {
        Refused {
            code: StatusCode::OpUnsupported,
            message: message.into(),
        }
    }

    /// The request makes no sense.
    pub fn bad_message(message: impl Into<String>) -> Refused {
        Refused {
            code: StatusCode::BadMessage,
            message: message.into(),
        }
    }

    /// There is no more to read.
    pub fn end_of_file() -> Refused {
        Refused {
            code: StatusCode::Eof,
            message: "no more".to_owned(),
        }
    }

    /// As a reply to the request `id`.
    pub fn packet(self, id: u32) -> Packet {
        status(id, self.code, self.message)
    }
}

impl From<PathRefused> for Refused {
    fn from(refused: PathRefused) -> Refused {
        match refused {
            PathRefused::NoSuchFolder => Refused::missing(refused.to_string()),
            PathRefused::Leaves | PathRefused::Name(_) => Refused::denied(refused.to_string()),
        }
    }
}

impl From<UploadFault> for Refused {
    fn from(fault: UploadFault) -> Refused {
        Refused::failed(fault.to_string())
    }
}

impl From<DeskFull> for Refused {
    fn from(full: DeskFull) -> Refused {
        Refused::failed(full.to_string())
    }
}

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Refused {
        tracing::error!(reason = %unavailable.reason, "the mailbox cannot answer a client");
        Refused::failed("the mailbox is out of order at the moment; try again later")
    }
}

impl From<NotTaken> for Refused {
    fn from(refused: NotTaken) -> Refused {
        match refused {
            NotTaken::Refused { reason } => Refused::failed(reason),
            NotTaken::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

/// The reply that says yes.
pub fn done(id: u32) -> Packet {
    status(id, StatusCode::Ok, "done".to_owned())
}

fn status(id: u32, status_code: StatusCode, error_message: String) -> Packet {
    Packet::Status(Status {
        id,
        status_code,
        error_message,
        language_tag: "en".to_owned(),
    })
}

/// What a listing says of a folder.
pub fn folder_attributes() -> FileAttributes {
    FileAttributes {
        size: Some(0),
        uid: Some(0),
        gid: Some(0),
        permissions: Some(FileMode::DIR.bits() | 0o755),
        ..FileAttributes::empty()
    }
}

/// What a listing says of a file.
pub fn file_attributes(size: u64, modified: Option<DateTime<Utc>>) -> FileAttributes {
    // SFTP version 3 counts seconds in 32 bits.
    let seconds = modified.map(|at| u32::try_from(at.timestamp().max(0)).unwrap_or(u32::MAX));
    FileAttributes {
        size: Some(size),
        uid: Some(0),
        gid: Some(0),
        permissions: Some(FileMode::REG.bits() | 0o644),
        atime: seconds,
        mtime: seconds,
        ..FileAttributes::empty()
    }
}

/// A folder's line in a listing.
pub fn folder_line(name: &str) -> File {
    File::new(name, folder_attributes())
}

/// A file's line in a listing.
pub fn file_line(entry: &MailboxEntry) -> File {
    File::new(
        entry.name.clone(),
        file_attributes(entry.size, Some(entry.modified)),
    )
}
