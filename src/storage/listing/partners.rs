//! Trading partners with their EDI addresses and connections; and what a partner's profile says where a listing
//! depends on it.

use std::collections::HashMap;

use serde::Serialize;

use super::{Conditions, Page, instant, maybe_instant};
use crate::config::profile::Profile;
use crate::domain::clock::Instant;
use crate::domain::ids::PartnerId;
use crate::storage::connection::{Connection, list};
use crate::storage::failure::Failure;

/// A partner in a listing.
#[derive(Debug, Clone, Serialize)]
pub struct PartnerListing {
    /// Its number in the database.
    #[serde(skip)]
    pub id: PartnerId,
    /// Its short name.
    pub partner: String,
    /// Its name in words.
    pub name: String,
    /// `buyer`, `3pl` or `bank`.
    pub kind: String,
    /// `live` or `test`.
    pub status: String,
    /// Version of the profile in force.
    pub version: i64,
    /// When that version was applied.
    pub applied_at: Instant,
    /// By whom.
    pub applied_by: String,
    /// Its EDI addresses.
    pub addresses: Vec<AddressListing>,
    /// The connections over which its files come and go.
    pub connections: Vec<ConnectionListing>,
}

/// An EDI address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddressListing {
    /// ISA05.
    pub qualifier: String,
    /// ISA06 without its blanks.
    pub isa_id: String,
    /// GS02.
    pub gs_id: String,
    /// `production` or `test`.
    pub mode: String,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionListing {
    /// Its number in the database.
    #[serde(skip)]
    pub id: i64,
    /// Its name; a mailbox's login.
    pub name: String,
    /// `mailbox`, `sftp` or `folder`.
    pub kind: String,
    /// When it was polled last.
    pub polled_at: Option<Instant>,
    /// What is wrong with it; null: nothing.
    pub problem: Option<String>,
}

row! {
    struct Row {
        id: i64,
        code: String,
        name: String,
        kind: String,
        status: String,
        profile_version: i64,
        applied_at: i64,
        applied_by: String,
    }
}

const SELECT: &str =
    "SELECT p.id, p.code, p.name, p.kind, p.status, p.profile_version, v.applied_at, v.applied_by
    FROM partner p JOIN profile v ON v.partner_id = p.id AND v.version = p.profile_version";

/// Partners by short name; all of them, or the one asked for.
pub async fn partners(
    connection: &mut Connection,
    code: Option<&str>,
    page: Page,
) -> Result<Vec<PartnerListing>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and_some("p.code = ?", code.map(str::to_owned));
    let (sql, binds) = conditions.ordered(SELECT, "p.code", page);
    let rows: Vec<Row> = connection.rows(&sql, binds).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut addresses = addresses_of(connection, &ids).await?;
    let mut connections = connections_of(connection, &ids).await?;
    rows.into_iter()
        .map(|row| {
            Ok(PartnerListing {
                id: PartnerId(row.id),
                partner: row.code,
                name: row.name,
                kind: row.kind,
                status: row.status,
                version: row.profile_version,
                applied_at: instant("profile", row.applied_at)?,
                applied_by: row.applied_by,
                addresses: addresses.remove(&row.id).unwrap_or_default(),
                connections: connections.remove(&row.id).unwrap_or_default(),
            })
        })
        .collect()
}

/// One partner by its short name.
pub async fn partner(
    connection: &mut Connection,
    code: &str,
) -> Result<Option<PartnerListing>, Failure> {
    Ok(partners(connection, Some(code), Page::first(1))
        .await?
        .into_iter()
        .next())
}

async fn addresses_of(
    connection: &mut Connection,
    partners: &[i64],
) -> Result<HashMap<i64, Vec<AddressListing>>, Failure> {
    let sql = format!(
        "SELECT partner_id, qualifier, isa_id, gs_id, mode FROM edi_address WHERE partner_id IN {} ORDER BY id",
        list(partners.len(), 0)
    );
    let rows: Vec<(i64, String, String, String, String)> = connection
        .rows(&sql, partners.iter().map(|id| (*id).into()).collect())
        .await?;
    let mut found: HashMap<i64, Vec<AddressListing>> = HashMap::new();
    for (partner, qualifier, isa_id, gs_id, mode) in rows {
        found.entry(partner).or_default().push(AddressListing {
            qualifier,
            isa_id,
            gs_id,
            mode,
        });
    }
    Ok(found)
}

async fn connections_of(
    connection: &mut Connection,
    partners: &[i64],
) -> Result<HashMap<i64, Vec<ConnectionListing>>, Failure> {
    row! {
        struct Row {
            id: i64,
            partner_id: i64,
            name: String,
            kind: String,
            polled_at: Option<i64>,
            problem: Option<String>,
        }
    }
    let sql = format!(
        "SELECT c.id, over_it.partner_id, c.name, c.kind, c.polled_at, c.problem FROM connection c
         JOIN {} over_it ON over_it.connection_id = c.id
         WHERE c.active = 1 AND over_it.partner_id IN {} ORDER BY c.id",
        speakers!(),
        list(partners.len(), 0)
    );
    let rows: Vec<Row> = connection
        .rows(&sql, partners.iter().map(|id| (*id).into()).collect())
        .await?;
    let mut found: HashMap<i64, Vec<ConnectionListing>> = HashMap::new();
    for row in rows {
        found
            .entry(row.partner_id)
            .or_default()
            .push(ConnectionListing {
                id: row.id,
                name: row.name,
                kind: row.kind,
                polled_at: maybe_instant("connection", row.polled_at)?,
                problem: row.problem,
            });
    }
    Ok(found)
}

/// A version of a partner's profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProfileListing {
    /// Its number, from 1.
    pub version: i64,
    /// When it was applied.
    pub applied_at: Instant,
    /// By whom.
    pub applied_by: String,
    /// The document.
    pub text: String,
}

/// The versions of a partner's profile, newest first.
pub async fn profiles(
    connection: &mut Connection,
    partner: PartnerId,
    page: Page,
) -> Result<Vec<ProfileListing>, Failure> {
    let mut conditions = Conditions::new();
    conditions.and("partner_id = ?", partner);
    let (sql, binds) = conditions.newest_first(
        "SELECT version, applied_at, applied_by, text FROM profile",
        "version",
        page,
    );
    let rows: Vec<(i64, i64, String, String)> = connection.rows(&sql, binds).await?;
    rows.into_iter()
        .map(|(version, at, applied_by, text)| {
            Ok(ProfileListing {
                version,
                applied_at: instant("profile", at)?,
                applied_by,
                text,
            })
        })
        .collect()
}

/// The days of grace after the due date that the profiles of these partners grant; those that grant none are left out.
/// `None` asks for all partners.
pub(super) async fn grace_days(
    connection: &mut Connection,
    partners: Option<&[i64]>,
) -> Result<HashMap<i64, u32>, Failure> {
    let mut conditions = Conditions::new();
    if let Some(partners) = partners {
        conditions.and_in("p.id", partners.iter().map(|id| (*id).into()).collect());
    }
    let (sql, binds) = conditions.ordered(
        "SELECT p.id, v.text FROM partner p JOIN profile v ON v.partner_id = p.id AND v.version = p.profile_version",
        "p.id",
        Page::first(u32::MAX),
    );
    let rows: Vec<(i64, String)> = connection.rows(&sql, binds).await?;
    Ok(rows
        .into_iter()
        // A profile that can not be read any more grants nothing; `partner apply` and `doctor` say so.
        .filter_map(|(id, text)| {
            Some((
                id,
                Profile::parse(&text).ok()?.collection.overdue_grace_days,
            ))
        })
        .filter(|(_, days)| *days > 0)
        .collect())
}
