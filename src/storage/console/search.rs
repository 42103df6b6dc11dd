//! The search box: any reference, exactly or by its beginning.

use std::collections::{BTreeMap, BTreeSet};

use super::{Conditions, like_literal};
use crate::binds;
use crate::domain::order::Mode;
use crate::storage::connection::list;
use crate::storage::{Bind, Connection, Failure};

row! {
    /// Something found.
    #[derive(Debug, Clone)]
    pub(crate) struct Found {
        /// order, invoice, document, shipment, payment, partner, file.
        pub kind: String,
        pub id: i64,
        /// What it is called.
        pub name: String,
        /// What was matched: `PO number`, `ISA13` …
        pub by: String,
        pub partner_name: Option<String>,
        pub status: String,
        pub at: Option<i64>,
    }
}

/// Hits of each kind.
const MOST: i64 = 20;

/// Everything that bears this reference. `text` is trimmed and not empty.
pub(crate) async fn find(connection: &mut Connection, text: &str) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    by_name(connection, &mut found, text).await?;
    by_control_number(connection, &mut found, text).await?;
    by_carton(connection, &mut found, text).await?;
    by_reference(connection, &mut found, text).await?;
    by_identity(connection, &mut found, text).await?;
    let mut seen = BTreeSet::new();
    found.retain(|hit| seen.insert((hit.kind.clone(), hit.id)));
    Ok(found)
}

/// What people call by a name or number: the columns of a hit with their tables, and the column that is looked at.
const NAMED: [(&str, &str); 5] = [
    (
        "'order' AS kind, o.id, o.po_number AS name, 'PO number' AS by, p.name AS partner_name, o.status,
         o.received_at AS at FROM purchase_order o JOIN partner p ON p.id = o.partner_id",
        "o.po_number",
    ),
    (
        "'invoice' AS kind, i.id, i.number AS name, 'Invoice number' AS by, p.name AS partner_name, i.status,
         i.created_at AS at FROM invoice i JOIN partner p ON p.id = i.partner_id",
        "i.number",
    ),
    (
        "'invoice' AS kind, i.id, i.number AS name, 'PO number' AS by, p.name AS partner_name, i.status,
         i.created_at AS at FROM invoice i JOIN partner p ON p.id = i.partner_id",
        "i.po_number",
    ),
    (
        "'payment' AS kind, y.id, y.reference AS name, 'Payment reference' AS by, p.name AS partner_name, y.status,
         y.created_at AS at FROM payment y JOIN partner p ON p.id = y.partner_id",
        "y.reference",
    ),
    (
        concat!(
            "'file' AS kind, f.id, f.name, 'File name' AS by, p.name AS partner_name, f.disposition AS status,
             f.received_at AS at FROM file f LEFT JOIN connection c ON c.id = f.connection_id
             LEFT JOIN partner p ON p.id = ",
            partner_of_file!()
        ),
        "f.name",
    ),
];

/// Orders, invoices, payments, files and partners by what people call them: what is called exactly so comes first.
async fn by_name(
    connection: &mut Connection,
    found: &mut Vec<Found>,
    text: &str,
) -> Result<(), Failure> {
    for (columns, column) in NAMED {
        let mut conditions = Conditions::default();
        if column == "i.number" {
            conditions.and_plain(super::invoices::OURS);
        }
        conditions.and_begins(column, Some(&text.to_owned()));
        let sql = format!(
            "SELECT {columns}{} ORDER BY {column} LIMIT {MOST}",
            conditions.sql()
        );
        found.extend(connection.rows::<Found>(&sql, conditions.binds()).await?);
    }
    let beginning = format!("{}%", like_literal(text));
    found.extend(
        connection
            .rows::<Found>(
                "SELECT 'partner' AS kind, id, name, 'Partner' AS by, name AS partner_name, status, CAST(NULL AS BIGINT) AS at
                 FROM partner WHERE LOWER(name) LIKE LOWER($1) ESCAPE '!' OR LOWER(code) LIKE LOWER($1) ESCAPE '!'
                 ORDER BY name LIMIT $2",
                binds![beginning, MOST],
            )
            .await?,
    );
    Ok(())
}

/// Documents that meet `condition`, in order of `order`.
fn documents(of: &str, by: &str, condition: &str, order: &str) -> String {
    format!(
        "SELECT 'document' AS kind, d.id, d.set_code AS name, '{by}' AS by, p.name AS partner_name,
            CASE WHEN d.direction = 'in' THEN d.disposition ELSE d.delivery END AS status, d.created_at AS at
         FROM document d{of} LEFT JOIN partner p ON p.id = d.partner_id WHERE {condition} ORDER BY {order} LIMIT {MOST}"
    )
}

/// Documents by the control numbers of their interchange and group.
async fn by_control_number(
    connection: &mut Connection,
    found: &mut Vec<Found>,
    text: &str,
) -> Result<(), Failure> {
    if text.len() > 9 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let isa13 = format!("{text:0>9}");
    let gs06 = text.trim_start_matches('0');
    for (by, value, condition) in [
        (
            "ISA13",
            isa13.as_str(),
            "d.interchange_id IN (SELECT id FROM interchange WHERE isa13 = $1)",
        ),
        (
            "ISA13",
            isa13.as_str(),
            "d.transmission_id IN (SELECT id FROM transmission WHERE isa13 = $1)",
        ),
        // The index begins with the partner; of those there are few.
        (
            "GS06",
            gs06,
            "d.id IN (SELECT x.id FROM partner q CROSS JOIN document x WHERE x.partner_id = q.id AND x.gs06 = $1
                UNION ALL SELECT x.id FROM document x WHERE x.partner_id IS NULL AND x.gs06 = $1)",
        ),
    ] {
        let sql = documents("", by, condition, "d.id DESC");
        found.extend(connection.rows::<Found>(&sql, binds![value]).await?);
    }
    Ok(())
}

/// Documents by the number they are about: those about the orders, invoices, payments and shipments that were found, and
/// those that are about nothing yet.
async fn by_reference(
    connection: &mut Connection,
    found: &mut Vec<Found>,
    text: &str,
) -> Result<(), Failure> {
    let mut about: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for hit in found.iter() {
        if matches!(
            hit.kind.as_str(),
            "order" | "invoice" | "payment" | "shipment"
        ) {
            about.entry(&hit.kind).or_default().push(hit.id);
        }
    }
    let mut queries = Vec::new();
    for (kind, ids) in about {
        let condition = format!(
            "d.subject_kind = '{kind}' AND d.subject_id IN {}",
            list(ids.len(), 0)
        );
        let binds = ids.into_iter().map(Bind::from).collect();
        queries.push(("", condition, "d.id DESC", binds));
    }
    let mut loose = Conditions::default();
    loose.and_begins("d.reference", Some(&text.to_owned()));
    let condition = format!(
        "d.subject_kind = '' AND d.reference <> '' AND {}",
        loose.sql().trim_start_matches(" WHERE ")
    );
    // SQLite would go through all documents that are about nothing.
    let loosely = match connection.is_sqlite() {
        true => " INDEXED BY document_loose",
        false => "",
    };
    queries.push((loosely, condition, "d.reference", loose.binds()));
    for (of, condition, order, binds) in queries {
        let sql = documents(of, "Reference", &condition, order);
        found.extend(connection.rows::<Found>(&sql, binds).await?);
    }
    Ok(())
}

/// Digits that an SSCC may be numbered under: the extension digit and a GS1 company prefix of four to twelve.
const NUMBERING: std::ops::RangeInclusive<usize> = 5..=13;

/// Shipments by the number of a carton or pallet, the bill of lading and tracking numbers.
async fn by_carton(
    connection: &mut Connection,
    found: &mut Vec<Found>,
    text: &str,
) -> Result<(), Failure> {
    // (00) before an SSCC is how a scanner gives it
    let bare = text
        .trim_start_matches("(00)")
        .replace(char::is_whitespace, "");
    let bare = match bare.len() {
        20 => bare.strip_prefix("00").unwrap_or(&bare).to_owned(),
        _ => bare,
    };
    let is_sscc = bare.len() == 18 && bare.bytes().all(|byte| byte.is_ascii_digit());
    let mut hits: Vec<(i64, &str)> = Vec::new();
    if is_sscc {
        let on = labelled(connection, &bare).await?;
        hits.extend(on.into_iter().map(|id| (id, "SSCC")));
    }
    let by = "BOL or tracking number";
    hits.extend(
        numbered(connection, text, &bare)
            .await?
            .into_iter()
            .map(|id| (id, by)),
    );
    for (id, by) in hits {
        found.extend(
            connection
                .rows::<Found>(
                    "SELECT 'shipment' AS kind, s.id, 'Shipment' AS name, $2 AS by, p.name AS partner_name, s.status,
                        s.created_at AS at FROM shipment s JOIN partner p ON p.id = s.partner_id WHERE s.id = $1",
                    binds![id, by],
                )
                .await?,
        );
    }
    Ok(())
}

/// The shipments on which a label is: by the runs that were issued, by those that somebody gave, and by those that others
/// number. They tell where a label was to go; whether it is there, the shipment itself says.
async fn labelled(connection: &mut Connection, sscc: &str) -> Result<BTreeSet<i64>, Failure> {
    let mut holders = BTreeSet::new();
    for mode in [Mode::Production, Mode::Test] {
        for length in NUMBERING {
            let serial = sscc.get(length..17).and_then(|serial| serial.parse().ok());
            let (Some(numbering), Some(serial)) = (sscc.get(..length), serial) else {
                continue;
            };
            let issued = connection.label_holders(numbering, mode, &[serial]).await?;
            holders.extend(issued.into_iter().map(|shipment| shipment.0));
            let given: Vec<(i64,)> = connection
                .rows(
                    "SELECT shipment_id FROM label_given WHERE numbering = $1 AND mode = $2 AND serial = $3",
                    binds![numbering, mode.word(), serial],
                )
                .await?;
            holders.extend(given.into_iter().map(|row| row.0));
        }
        let key = format!("sscc:{}:{sscc}", mode.word());
        holders.extend(connection.effect(&key).await?);
    }
    let quoted = format!("\"{sscc}\"");
    let mut on = BTreeSet::new();
    for id in holders {
        let body: Option<(String,)> = connection
            .row("SELECT body FROM shipment WHERE id = $1", binds![id])
            .await?;
        if body.is_some_and(|(body,)| body.contains(&quoted)) {
            on.insert(id);
        }
    }
    Ok(on)
}

/// The shipments that bear a bill of lading or a tracking number, the newest first. A bill of lading that we numbered is
/// the shipment's own number.
async fn numbered(
    connection: &mut Connection,
    text: &str,
    bare: &str,
) -> Result<Vec<i64>, Failure> {
    let rows: Vec<(i64,)> = connection
        .rows(
            "SELECT DISTINCT shipment_id FROM shipment_number WHERE number IN ($1, $2) ORDER BY shipment_id DESC LIMIT $3",
            binds![text, bare, MOST],
        )
        .await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// Our own numbers.
async fn by_identity(
    connection: &mut Connection,
    found: &mut Vec<Found>,
    text: &str,
) -> Result<(), Failure> {
    let Ok(id) = text.trim_start_matches('#').parse::<i64>() else {
        return Ok(());
    };
    for sql in [
        "SELECT 'document' AS kind, d.id, d.set_code AS name, 'Document number' AS by, p.name AS partner_name,
            CASE WHEN d.direction = 'in' THEN d.disposition ELSE d.delivery END AS status, d.created_at AS at
            FROM document d LEFT JOIN partner p ON p.id = d.partner_id WHERE d.id = $1",
        "SELECT 'order' AS kind, o.id, o.po_number AS name, 'Order number' AS by, p.name AS partner_name, o.status,
            o.received_at AS at FROM purchase_order o JOIN partner p ON p.id = o.partner_id WHERE o.id = $1",
        "SELECT 'shipment' AS kind, s.id, 'Shipment' AS name, 'Shipment number' AS by, p.name AS partner_name, s.status,
            s.created_at AS at FROM shipment s JOIN partner p ON p.id = s.partner_id WHERE s.id = $1",
    ] {
        found.extend(connection.rows::<Found>(sql, binds![id]).await?);
    }
    Ok(())
}
