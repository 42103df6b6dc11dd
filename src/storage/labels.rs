//! SSCC serials: which were issued to which shipment, and which labels somebody else gave to a carton.

use super::connection::{Connection, list};
use super::failure::Failure;
use crate::binds;
use crate::domain::ids::ShipmentId;
use crate::domain::order::Mode;

/// A run of serials that one shipment's labels bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelRun {
    /// The first.
    pub first: i64,
    /// The last.
    pub last: i64,
    /// Whose.
    pub shipment: ShipmentId,
}

impl Connection {
    /// The next `n` SSCC serials of a company prefix in one world; never used twice. They may be taken ahead of their use, and
    /// then some are never used.
    pub async fn take_sscc_serials(
        &mut self,
        prefix: &str,
        mode: Mode,
        n: usize,
    ) -> Result<i64, Failure> {
        self.take_numbers(
            &format!("sscc:{prefix}:{}", mode.word()),
            i64::try_from(n).unwrap_or(i64::MAX),
        )
        .await
    }

    /// Writes down to which shipments runs of serials are issued. `numbering` is extension digit and company prefix.
    pub async fn add_label_runs(
        &mut self,
        numbering: &str,
        mode: Mode,
        runs: &[LabelRun],
    ) -> Result<(), Failure> {
        let rows = runs
            .iter()
            .map(|run| binds![numbering, mode.word(), run.first, run.last, run.shipment])
            .collect();
        self.insert_many(
            "INSERT INTO label_run (numbering, mode, first_serial, last_serial, shipment_id)",
            rows,
            "",
        )
        .await?;
        Ok(())
    }

    /// The shipments that any of these serials were issued to.
    pub async fn label_holders(
        &mut self,
        numbering: &str,
        mode: Mode,
        serials: &[i64],
    ) -> Result<Vec<ShipmentId>, Failure> {
        let mut holders = Vec::new();
        // The run that begins last at or below the serial; it may end below it.
        const HOLDERS: &str = "SELECT DISTINCT run.shipment_id FROM (
                 SELECT v.column1 AS serial,
                     (SELECT MAX(first_serial) FROM label_run WHERE numbering = $1 AND mode = $2
                      AND first_serial <= v.column1) AS first_serial
                 FROM {rows}) AS wanted
             JOIN label_run AS run ON run.numbering = $1 AND run.mode = $2
                 AND run.first_serial = wanted.first_serial AND run.last_serial >= wanted.serial";
        let asked = serials.iter().map(|serial| binds![*serial]).collect();
        let rows: Vec<(i64,)> = self
            .rows_of(HOLDERS, binds![numbering, mode.word()], asked)
            .await?;
        holders.extend(rows.into_iter().map(|row| ShipmentId(row.0)));
        holders.sort_unstable();
        holders.dedup();
        Ok(holders)
    }

    /// Whether somebody gave one of these serials to a carton before we came to issue it.
    pub async fn is_label_given(
        &mut self,
        numbering: &str,
        mode: Mode,
        first: i64,
        last: i64,
    ) -> Result<bool, Failure> {
        let given = self
            .number(
                "SELECT COUNT(*) FROM label_given
                 WHERE numbering = $1 AND mode = $2 AND serial >= $3 AND serial <= $4",
                binds![numbering, mode.word(), first, last],
            )
            .await?;
        Ok(given > 0)
    }

    /// Claims serials that somebody gave to a shipment's cartons; those that another shipment has claimed before.
    pub async fn claim_given_labels(
        &mut self,
        numbering: &str,
        mode: Mode,
        shipment: ShipmentId,
        serials: &[i64],
    ) -> Result<Vec<i64>, Failure> {
        let rows = serials
            .iter()
            .map(|serial| binds![numbering, mode.word(), *serial, shipment])
            .collect();
        self.insert_many(
            "INSERT INTO label_given (numbering, mode, serial, shipment_id)",
            rows,
            "ON CONFLICT (numbering, mode, serial) DO NOTHING",
        )
        .await?;
        let mut taken = Vec::new();
        for chunk in serials.chunks(1_000) {
            let sql = format!(
                "SELECT serial FROM label_given WHERE numbering = $1 AND mode = $2 AND shipment_id <> $3 AND serial IN {}",
                list(chunk.len(), 3)
            );
            let mut values = binds![numbering, mode.word(), shipment];
            values.extend(chunk.iter().map(|serial| (*serial).into()));
            let rows: Vec<(i64,)> = self.rows(&sql, values).await?;
            taken.extend(rows.into_iter().map(|row| row.0));
        }
        Ok(taken)
    }

    /// Claims SSCCs that others number; the first of them that another shipment has claimed before.
    pub async fn claim_foreign_labels(
        &mut self,
        mode: Mode,
        shipment: ShipmentId,
        ssccs: &[String],
    ) -> Result<Option<String>, Failure> {
        let keys: Vec<(String, i64)> = ssccs
            .iter()
            .map(|sscc| (format!("sscc:{}:{sscc}", mode.word()), shipment.0))
            .collect();
        let claimed = self.claim_effects(&keys).await?;
        for ((sscc, (key, _)), claimed) in ssccs.iter().zip(&keys).zip(claimed) {
            if !claimed && self.effect(key).await? != Some(shipment.0) {
                return Ok(Some(sscc.clone()));
            }
        }
        Ok(None)
    }
}
