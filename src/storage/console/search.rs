//! The search box: any reference, exactly or by its beginning.

use sqlx::FromRow;

use super::orders::like_literal;
use crate::binds;
use crate::storage::{Connection, Failure};

/// Something found.
#[derive(Debug, Clone, FromRow)]
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

/// Hits of each kind.
const MOST: i64 = 20;

/// Everything that bears this reference. `text` is trimmed and not empty.
pub(crate) async fn find(connection: &mut Connection, text: &str) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    let beginning = format!("{}%", like_literal(text));
    by_name(connection, &mut found, &beginning).await?;
    by_control_number(connection, &mut found, text, &beginning).await?;
    by_carton(connection, &mut found, text).await?;
    by_identity(connection, &mut found, text).await?;
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|hit| seen.insert((hit.kind.clone(), hit.id)));
    Ok(found)
}

/// Orders, invoices, payments and partners by what people call them.
async fn by_name(
    connection: &mut Connection,
    found: &mut Vec<Found>,
    beginning: &str,
) -> Result<(), Failure> {
    for sql in [
        "SELECT 'order' AS kind, o.id, o.po_number AS name, 'PO number' AS by, p.name AS partner_name, o.status,
            o.received_at AS at FROM purchase_order o JOIN partner p ON p.id = o.partner_id
            WHERE o.po_number LIKE $1 ESCAPE '!' ORDER BY o.id DESC LIMIT $2",
        "SELECT 'invoice' AS kind, i.id, i.number AS name, 'Invoice number' AS by, p.name AS partner_name, i.status,
            i.created_at AS at FROM invoice i JOIN partner p ON p.id = i.partner_id
            WHERE i.number LIKE $1 ESCAPE '!' ORDER BY i.id DESC LIMIT $2",
        "SELECT 'invoice' AS kind, i.id, i.number AS name, 'PO number' AS by, p.name AS partner_name, i.status,
            i.created_at AS at FROM invoice i JOIN partner p ON p.id = i.partner_id
            WHERE i.po_number LIKE $1 ESCAPE '!' ORDER BY i.id DESC LIMIT $2",
        "SELECT 'payment' AS kind, y.id, y.reference AS name, 'Payment reference' AS by, p.name AS partner_name, y.status,
            y.created_at AS at FROM payment y JOIN partner p ON p.id = y.partner_id
            WHERE y.reference LIKE $1 ESCAPE '!' ORDER BY y.id DESC LIMIT $2",
        "SELECT 'partner' AS kind, id, name, 'Partner' AS by, name AS partner_name, status, CAST(NULL AS BIGINT) AS at
            FROM partner WHERE LOWER(name) LIKE LOWER($1) ESCAPE '!' OR LOWER(code) LIKE LOWER($1) ESCAPE '!'
            ORDER BY name LIMIT $2",
        concat!("SELECT 'file' AS kind, f.id, f.name, 'File name' AS by, p.name AS partner_name, f.disposition AS status,
            f.received_at AS at FROM file f LEFT JOIN connection c ON c.id = f.connection_id
              LEFT JOIN partner p ON p.id = ", partner_of_file!(), "
            WHERE f.name LIKE $1 ESCAPE '!' ORDER BY f.id DESC LIMIT $2"),
    ] {
        found.extend(connection.rows::<Found>(sql, binds![beginning, MOST]).await?);
    }
    Ok(())
}

/// Documents by their control numbers and by the number they are about.
async fn by_control_number(
    connection: &mut Connection,
    found: &mut Vec<Found>,
    text: &str,
    beginning: &str,
) -> Result<(), Failure> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let columns = "SELECT 'document' AS kind, d.id, d.set_code AS name, $3 AS by, p.name AS partner_name,
        CASE WHEN d.direction = 'in' THEN d.disposition ELSE d.delivery END AS status, d.created_at AS at
        FROM document d LEFT JOIN partner p ON p.id = d.partner_id WHERE";
    if digits && text.len() <= 9 {
        let isa13 = format!("{text:0>9}");
        let sql = format!("{columns} d.isa13 = $1 ORDER BY d.id DESC LIMIT $2");
        found.extend(
            connection
                .rows::<Found>(&sql, binds![isa13, MOST, "ISA13"])
                .await?,
        );
        let gs06 = text.trim_start_matches('0');
        let sql = format!("{columns} d.gs06 = $1 ORDER BY d.id DESC LIMIT $2");
        found.extend(
            connection
                .rows::<Found>(&sql, binds![gs06, MOST, "GS06"])
                .await?,
        );
    }
    let sql = format!("{columns} d.reference LIKE $1 ESCAPE '!' ORDER BY d.id DESC LIMIT $2");
    found.extend(
        connection
            .rows::<Found>(&sql, binds![beginning, MOST, "Reference"])
            .await?,
    );
    Ok(())
}

/// Shipments by carton number, bill of lading and tracking number, which stand in the shipment's body.
async fn by_carton(
    connection: &mut Connection,
    found: &mut Vec<Found>,
    text: &str,
) -> Result<(), Failure> {
    // (00) before an SSCC is how a scanner gives it
    let sscc = text
        .trim_start_matches("(00)")
        .replace(char::is_whitespace, "");
    let sscc = match sscc.len() {
        20 => sscc.trim_start_matches("00").to_owned(),
        _ => sscc,
    };
    if sscc.len() < 5 {
        return Ok(());
    }
    let Ok(quoted) = serde_json::to_string(&sscc) else {
        return Ok(());
    };
    let quoted = like_literal(&quoted);
    let by = if sscc.len() == 18 {
        "SSCC"
    } else {
        "BOL or tracking number"
    };
    found.extend(
        connection
            .rows::<Found>(
                "SELECT 'shipment' AS kind, s.id, 'Shipment' AS name, $3 AS by, p.name AS partner_name, s.status,
                    s.created_at AS at FROM shipment s JOIN partner p ON p.id = s.partner_id
                 WHERE s.body LIKE $1 ESCAPE '!' ORDER BY s.id DESC LIMIT $2",
                binds![format!("%:{quoted}%"), MOST, by],
            )
            .await?,
    );
    Ok(())
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
