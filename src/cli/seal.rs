//! `seal`: seals what was written since the last seal, which `serve` does by the clock.

use std::process::ExitCode;

use super::{CliError, CliResult, Options, house};
use crate::workflow::seal::{Sealing, seal};

/// 0 when everything that was committed before is sealed, 1 when that has to wait.
pub async fn run(options: &Options) -> CliResult {
    let gateway = house::open(options).await?;
    match seal(&gateway).await? {
        Sealing::Done(rows) => {
            let last = gateway.store.read().await?.last_seal().await?;
            println!(
                "{rows} rows sealed; the last seal is {}.",
                last.map_or(0, |last| last.number)
            );
            Ok(ExitCode::SUCCESS)
        }
        Sealing::Elsewhere => Err(CliError::Refused(
            "another gateway seals at this moment; run it again".to_owned(),
        )),
        Sealing::Waiting => Err(CliError::Refused(
            "a transaction that began before still writes; run it again when it has ended"
                .to_owned(),
        )),
    }
}
