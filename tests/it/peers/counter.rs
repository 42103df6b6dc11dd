//! A counter at which fetched files are handed in: it remembers them, and refuses when told to.

use std::sync::{Arc, Mutex};

use supercargo::transport::port::{ArrivalPort, ArrivedFile, NotTaken, PortFuture, Unavailable};

/// A file that was handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedIn {
    pub connection_id: i64,
    pub name: String,
    pub origin: String,
    pub bytes: Vec<u8>,
    pub sha256: String,
}

/// The counter; clones are the same one.
#[derive(Clone, Default)]
pub struct Counter {
    taken: Arc<Mutex<Vec<HandedIn>>>,
    closed: Arc<Mutex<bool>>,
}

impl Counter {
    pub fn taken(&self) -> Vec<HandedIn> {
        self.taken.lock().expect("sound").clone()
    }

    pub fn names(&self) -> Vec<String> {
        self.taken().into_iter().map(|file| file.name).collect()
    }

    /// A closed counter takes nothing.
    pub fn close(&self, closed: bool) {
        *self.closed.lock().expect("sound") = closed;
    }
}

impl ArrivalPort for Counter {
    fn receive<'a>(&'a self, file: ArrivedFile<'a>) -> PortFuture<'a, Result<(), NotTaken>> {
        Box::pin(async move {
            if *self.closed.lock().expect("sound") {
                return Err(Unavailable {
                    reason: "the database is gone".to_owned(),
                }
                .into());
            }
            let bytes = std::fs::read(file.spooled).expect("the spooled file is there");
            assert_eq!(bytes.len() as u64, file.size);
            self.taken.lock().expect("sound").push(HandedIn {
                connection_id: file.connection_id,
                name: file.name.to_owned(),
                origin: file.origin.to_owned(),
                bytes,
                sha256: hex::encode(file.sha256),
            });
            Ok(())
        })
    }
}
