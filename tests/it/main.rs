//! The one integration binary: whole rooms against real peers. `tests/run` installs and starts what it needs.

mod console;
mod engines;
mod listing;
mod peers;
mod sftp_client;
mod sftp_server;
mod thread;
