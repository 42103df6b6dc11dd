//! What came in: files, interchanges, functional groups.

use std::collections::HashMap;

use super::connection::{Bind, Connection, list};
use super::content::ContentAddress;
use super::failure::Failure;
use crate::binds;
use crate::domain::clock::Instant;
use crate::domain::document::{Application, Disposition, Syntax};
use crate::domain::finding::Finding;
use crate::domain::ids::ConnectionId;

row! {
    /// A received file.
    #[derive(Debug, Clone)]
    pub struct FileRow {
        /// Its number.
        pub id: i64,
        /// Over which connection.
        pub connection_id: Option<i64>,
        /// For whom it was submitted, where somebody said so.
        pub partner_id: Option<i64>,
        /// As the sender named it.
        pub name: String,
        /// Address of its bytes.
        pub sha256: String,
        /// Bytes.
        pub size: i64,
        /// When.
        pub received_at: i64,
        /// How it ended.
        pub disposition: String,
    }
}

/// A new interchange.
#[derive(Debug, Clone)]
pub struct NewInterchange {
    /// Number, taken beforehand.
    pub id: i64,
    /// In which file.
    pub file: i64,
    /// Where its ISA begins.
    pub byte_offset: i64,
    /// Bytes from ISA to the end of its IEA.
    pub size: i64,
    /// Whose, where the sender is known.
    pub partner: Option<i64>,
    /// Version of the profile it was judged by.
    pub profile_version: Option<i64>,
    /// production or test.
    pub mode: &'static str,
    /// Sender and receiver as one word: the scope of control numbers.
    pub pair: String,
    /// Control number.
    pub isa13: String,
    /// The ISA as JSON.
    pub header: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// How it ended.
    pub disposition: Disposition,
    /// What was found at envelope level.
    pub findings: Vec<Finding>,
}

row! {
    /// An interchange seen before.
    #[derive(Debug, Clone)]
    pub struct SeenInterchange {
        /// Its number.
        pub id: i64,
        /// Between whom, as [`NewInterchange::pair`].
        pub pair: String,
        /// production or test.
        pub mode: String,
        /// Its control number.
        pub isa13: String,
        /// SHA-256 of its bytes.
        pub sha256: String,
    }
}

/// An interchange that may have been seen before.
#[derive(Debug, Clone)]
pub struct Sought {
    /// Between whom, as [`NewInterchange::pair`].
    pub pair: String,
    /// production or test.
    pub mode: &'static str,
    /// Its control number.
    pub isa13: String,
    /// What came before that does not count any more.
    pub since: Instant,
}

/// The verdict on a group.
#[derive(Debug, Clone)]
pub struct NewGroup {
    /// Of which interchange.
    pub interchange: i64,
    /// Its place in it, from 0.
    pub ordinal: usize,
    /// GS01.
    pub functional_id: String,
    /// GS06.
    pub gs06: String,
    /// The verdict as JSON.
    pub verdict: String,
}

/// Findings as they are stored.
pub fn findings_text(findings: &[Finding]) -> String {
    serde_json::to_string(findings).unwrap_or_else(|_| "[]".to_owned())
}

const FILE: &str =
    "SELECT id, connection_id, partner_id, name, sha256, size, received_at, disposition FROM file";

/// A file as it is received.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// Number in the database.
    pub id: i64,
    /// Over which connection; none: by hand.
    pub connection: Option<i64>,
    /// For whom, where a person says so.
    pub partner: Option<i64>,
    /// As the sender named it.
    pub name: &'a str,
    /// Its bytes.
    pub content: &'a ContentAddress,
    /// Who sent it.
    pub by: &'a str,
}

impl Connection {
    /// Adds received files.
    pub async fn add_files(&mut self, files: &[NewFile<'_>], at: Instant) -> Result<(), Failure> {
        let rows = files.iter().map(|file| {
            binds![
                file.id,
                file.connection,
                file.partner,
                file.name,
                &file.content.sha256,
                file.content.size,
                at,
                file.by,
                "received",
                "[]"
            ]
        });
        self.insert_many(
            "INSERT INTO file (id, connection_id, partner_id, name, sha256, size, received_at, received_by, disposition, findings)",
            rows.collect(),
            "",
        )
        .await?;
        Ok(())
    }

    /// A received file.
    pub async fn file(&mut self, id: i64) -> Result<Option<FileRow>, Failure> {
        self.row(&format!("{FILE} WHERE id = $1"), binds![id]).await
    }

    /// Files by their numbers.
    pub async fn files(&mut self, ids: &[i64]) -> Result<Vec<FileRow>, Failure> {
        let sql = format!("{FILE} WHERE id IN {}", list(ids.len(), 0));
        self.rows(&sql, ids.iter().map(|id| Bind::from(*id)).collect())
            .await
    }

    /// Where the bytes of files are: number of the file, their address, and how many there are.
    pub async fn contents_of(&mut self, ids: &[i64]) -> Result<Vec<(i64, String, i64)>, Failure> {
        let sql = format!(
            "SELECT id, sha256, size FROM file WHERE id IN {}",
            list(ids.len(), 0)
        );
        self.rows(&sql, ids.iter().map(|id| Bind::from(*id)).collect())
            .await
    }

    /// The ISAs of interchanges as JSON, by their numbers.
    pub async fn headers(&mut self, ids: &[i64]) -> Result<Vec<(i64, String)>, Failure> {
        let sql = format!(
            "SELECT id, header FROM interchange WHERE id IN {}",
            list(ids.len(), 0)
        );
        self.rows(&sql, ids.iter().map(|id| Bind::from(*id)).collect())
            .await
    }

    /// Of these files, those of more than `size` bytes.
    pub async fn files_larger_than(&mut self, ids: &[i64], size: i64) -> Result<Vec<i64>, Failure> {
        let sql = format!(
            "SELECT id FROM file WHERE size > $1 AND id IN {}",
            list(ids.len(), 1)
        );
        let mut values = binds![size];
        values.extend(ids.iter().map(|id| Bind::from(*id)));
        let rows: Vec<(i64,)> = self.rows(&sql, values).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Whether a file of this name came over the connection at `since` or later, and is not refused.
    pub async fn has_received_since(
        &mut self,
        over: ConnectionId,
        name: &str,
        since: Instant,
    ) -> Result<bool, Failure> {
        let found = self
            .number(
                "SELECT COUNT(*) FROM file WHERE connection_id = $1 AND name = $2 AND received_at >= $3 AND disposition <> 'rejected'",
                binds![over, name, since],
            )
            .await?;
        Ok(found > 0)
    }

    /// Settles how files ended, each with its number and what was found of it.
    pub async fn settle_files(
        &mut self,
        settled: &[(i64, Disposition, &[Finding])],
    ) -> Result<(), Failure> {
        const SETTLE: &str =
            "UPDATE file SET disposition = v.column2, findings = v.column3 FROM {rows}
             WHERE file.id = v.column1";
        let rows = settled.iter().map(|(id, disposition, findings)| {
            binds![*id, disposition.word(), findings_text(findings)]
        });
        self.execute_of(SETTLE, vec![], rows.collect()).await?;
        Ok(())
    }

    /// Holds files until the transaction ends, in order of their numbers; SQLite holds everything.
    pub async fn lock_files(&mut self, ids: &[i64]) -> Result<(), Failure> {
        if !self.is_sqlite() {
            let sql = format!(
                "SELECT id FROM file WHERE id IN {} ORDER BY id FOR UPDATE",
                list(ids.len(), 0)
            );
            let values = ids.iter().map(|id| Bind::from(*id)).collect();
            let _: Vec<(i64,)> = self.rows(&sql, values).await?;
        }
        Ok(())
    }

    /// Takes back what an earlier reading of the file began and did not finish, so that it can be read again: all
    /// interchanges that are not settled, with their groups and documents.
    pub async fn forget_unsettled(&mut self, file: i64) -> Result<(), Failure> {
        const UNSETTLED: &str = "SELECT id FROM interchange WHERE file_id = $1 AND pair = '' AND disposition IN ('received', 'held')";
        for sql in [
            format!(
                "DELETE FROM document WHERE interchange_id IN ({UNSETTLED}) AND subject_id IS NULL"
            ),
            format!("DELETE FROM functional_group WHERE interchange_id IN ({UNSETTLED})"),
            format!("DELETE FROM interchange WHERE id IN ({UNSETTLED})"),
            "DELETE FROM document WHERE file_id = $1 AND interchange_id IS NULL".to_owned(),
        ] {
            self.execute(&sql, binds![file]).await?;
        }
        Ok(())
    }

    /// Byte offsets of the interchanges of a file that are settled: a second reading leaves them alone.
    pub async fn settled_offsets(&mut self, file: i64) -> Result<Vec<i64>, Failure> {
        let mut settled = self.settled_offsets_of(&[file]).await?;
        Ok(settled.remove(&file).unwrap_or_default())
    }

    /// The same of many files, by file.
    pub async fn settled_offsets_of(
        &mut self,
        files: &[i64],
    ) -> Result<HashMap<i64, Vec<i64>>, Failure> {
        let mut settled: HashMap<i64, Vec<i64>> = HashMap::new();
        let sql = format!(
            "SELECT file_id, byte_offset FROM interchange WHERE file_id IN {}",
            list(files.len(), 0)
        );
        let asked = files.iter().map(|id| Bind::from(*id)).collect();
        for (file, offset) in self.rows::<(i64, i64)>(&sql, asked).await? {
            settled.entry(file).or_default().push(offset);
        }
        Ok(settled)
    }

    /// Adds interchanges.
    pub async fn add_interchanges(
        &mut self,
        added: &[NewInterchange],
        at: Instant,
    ) -> Result<(), Failure> {
        let rows = added.iter().map(|new| {
            binds![
                new.id,
                new.file,
                new.byte_offset,
                new.size,
                new.partner,
                new.profile_version,
                new.mode,
                &new.pair,
                &new.isa13,
                &new.header,
                &new.sha256,
                new.disposition.word(),
                findings_text(&new.findings),
                at
            ]
        });
        self.insert_many(
            "INSERT INTO interchange (id, file_id, byte_offset, size, partner_id, profile_version, mode, pair, isa13,
                 header, sha256, disposition, findings, received_at)",
            rows.collect(),
            "",
        )
        .await?;
        Ok(())
    }

    /// Earlier interchanges that counted, of the same pairs and modes with the same control numbers; newest first.
    pub async fn seen_interchanges(
        &mut self,
        sought: &[Sought],
    ) -> Result<Vec<SeenInterchange>, Failure> {
        const SEEN: &str = "SELECT interchange.id, interchange.pair, interchange.mode, interchange.isa13, interchange.sha256
             FROM {rows} CROSS JOIN interchange
             WHERE interchange.pair = v.column1 AND interchange.isa13 = v.column2 AND interchange.mode = v.column3
             AND interchange.received_at >= v.column4";
        let rows = sought
            .iter()
            .map(|sought| binds![&sought.pair, &sought.isa13, sought.mode, sought.since]);
        let mut seen: Vec<SeenInterchange> = self.rows_of(SEEN, vec![], rows.collect()).await?;
        seen.sort_by_key(|seen| std::cmp::Reverse(seen.id));
        Ok(seen)
    }

    /// Adds the verdicts on groups.
    pub async fn add_groups(&mut self, groups: Vec<NewGroup>) -> Result<(), Failure> {
        let rows = groups
            .into_iter()
            .map(|group| {
                binds![
                    group.interchange,
                    i64::try_from(group.ordinal).unwrap_or(i64::MAX),
                    group.functional_id,
                    group.gs06,
                    group.verdict
                ]
            })
            .collect();
        self.insert_many(
            "INSERT INTO functional_group (interchange_id, ordinal, functional_id, gs06, verdict)",
            rows,
            "ON CONFLICT (interchange_id, ordinal) DO NOTHING",
        )
        .await?;
        Ok(())
    }

    /// The verdicts on the groups of an interchange, in order: (place, verdict as JSON).
    pub async fn group_verdicts(
        &mut self,
        interchange: i64,
    ) -> Result<Vec<(i64, String)>, Failure> {
        self.rows(
            "SELECT ordinal, verdict FROM functional_group WHERE interchange_id = $1 ORDER BY ordinal",
            binds![interchange],
        )
        .await
    }

    /// Settles an interchange that was added before it came to its end. `pair` is empty where its control number does not
    /// count.
    pub async fn settle_interchange(&mut self, settled: &NewInterchange) -> Result<(), Failure> {
        self.execute(
            "UPDATE interchange SET pair = $2, size = $3, sha256 = $4, disposition = $5, findings = $6 WHERE id = $1",
            binds![
                settled.id,
                &settled.pair,
                settled.size,
                &settled.sha256,
                settled.disposition.word(),
                findings_text(&settled.findings)
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes what was found of an interchange after it was settled.
    pub async fn note_of_interchange(
        &mut self,
        id: i64,
        findings: &[Finding],
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE interchange SET findings = $2 WHERE id = $1",
            binds![id, findings_text(findings)],
        )
        .await?;
        Ok(())
    }

    /// Settles all documents of an interchange alike: it is held, refused or repeated as a whole. Without `syntax` each
    /// keeps its own.
    pub async fn settle_documents_of(
        &mut self,
        interchange: i64,
        disposition: Disposition,
        syntax: Option<Syntax>,
        application: Application,
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE document SET disposition = $2, syntax = COALESCE($3, syntax), application = $4 WHERE interchange_id = $1",
            binds![
                interchange,
                disposition.word(),
                syntax.map(|syntax| syntax.word().to_owned()),
                application.word()
            ],
        )
        .await?;
        Ok(())
    }

    /// What the documents of interchanges came to; nothing of one without documents.
    pub async fn dispositions_of(
        &mut self,
        interchanges: &[i64],
    ) -> Result<HashMap<i64, Vec<Disposition>>, Failure> {
        let sql = format!(
            "SELECT DISTINCT interchange_id, disposition FROM document WHERE interchange_id IN {}",
            list(interchanges.len(), 0)
        );
        let values = interchanges.iter().map(|id| Bind::from(*id)).collect();
        let rows: Vec<(i64, String)> = self.rows(&sql, values).await?;
        let mut each: HashMap<i64, Vec<Disposition>> = HashMap::new();
        for (interchange, word) in rows {
            let disposition = word.parse().map_err(|why| Failure::Corrupt {
                table: "document",
                key: format!("of interchange {interchange}"),
                why,
            })?;
            each.entry(interchange).or_default().push(disposition);
        }
        Ok(each)
    }

    /// The documents of an interchange that wait for translation, in order.
    pub async fn documents_received(&mut self, interchange: i64) -> Result<Vec<i64>, Failure> {
        let rows: Vec<(i64,)> = self
            .rows(
                "SELECT id FROM document WHERE interchange_id = $1 AND disposition = 'received' ORDER BY id",
                binds![interchange],
            )
            .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// An interchange's ISA as JSON, its file, and its disposition.
    pub async fn interchange(&mut self, id: i64) -> Result<Option<(String, i64, String)>, Failure> {
        self.row(
            "SELECT header, file_id, disposition FROM interchange WHERE id = $1",
            binds![id],
        )
        .await
    }

    /// What the interchanges of files came to: file and word, in the order in which they stand.
    pub async fn interchanges_of(&mut self, files: &[i64]) -> Result<Vec<(i64, String)>, Failure> {
        let sql = format!(
            "SELECT file_id, disposition FROM interchange WHERE file_id IN {} ORDER BY file_id, id",
            list(files.len(), 0)
        );
        self.rows(&sql, files.iter().map(|id| Bind::from(*id)).collect())
            .await
    }

    /// Number, file and disposition of interchanges.
    pub async fn places_of_interchanges(
        &mut self,
        ids: &[i64],
    ) -> Result<Vec<(i64, i64, String)>, Failure> {
        let sql = format!(
            "SELECT id, file_id, disposition FROM interchange WHERE id IN {} ORDER BY id",
            list(ids.len(), 0)
        );
        self.rows(&sql, ids.iter().map(|id| Bind::from(*id)).collect())
            .await
    }

    /// Settles what interchanges came to, each with its number.
    pub async fn set_interchange_dispositions(
        &mut self,
        settled: &[(i64, Disposition)],
    ) -> Result<(), Failure> {
        self.set_dispositions("interchange", settled).await
    }

    async fn set_dispositions(
        &mut self,
        table: &str,
        settled: &[(i64, Disposition)],
    ) -> Result<(), Failure> {
        let sql = format!(
            "UPDATE {table} SET disposition = v.column2 FROM {{rows}} WHERE {table}.id = v.column1"
        );
        let rows = settled
            .iter()
            .map(|(id, disposition)| binds![*id, disposition.word()]);
        self.execute_of(&sql, vec![], rows.collect()).await?;
        Ok(())
    }

    /// Settles what files came to, each with its number.
    pub async fn set_file_dispositions(
        &mut self,
        settled: &[(i64, Disposition)],
    ) -> Result<(), Failure> {
        self.set_dispositions("file", settled).await
    }
}
