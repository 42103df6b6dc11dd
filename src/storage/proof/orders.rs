//! Orders and shipments with what has to agree with them.

use sqlx::FromRow;

use crate::binds;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

/// An order and what stands beside it.
#[derive(Debug, FromRow)]
pub struct KeptOrder {
    /// Its number.
    pub id: i64,
    /// production or test.
    pub mode: String,
    /// The buyer's number.
    pub po_number: String,
    /// State.
    pub status: String,
    /// Revision.
    pub revision: i64,
    /// The document it was made of.
    pub document_id: i64,
    /// 1 where something of it waits for stock.
    pub waiting: i64,
    /// The order as JSON.
    pub body: String,
    /// What that document is about: this order, or something is wrong; none: the document is not there.
    pub document_subject: Option<i64>,
    /// Work that waits to verify or allocate it.
    pub work: i64,
}

/// A shipment and what stands beside it.
#[derive(Debug, FromRow)]
pub struct KeptShipment {
    /// Its number.
    pub id: i64,
    /// State.
    pub status: String,
    /// Revision.
    pub revision: i64,
    /// The shipment as JSON.
    pub body: String,
    /// Postings of stock that it caused by leaving.
    pub issues: i64,
    /// Orders that it is linked with.
    pub orders: i64,
}

impl Connection {
    /// Orders after `after`, in order of number.
    pub async fn kept_orders(&mut self, after: i64, most: i64) -> Result<Vec<KeptOrder>, Failure> {
        self.rows(
            "SELECT purchase_order.id, purchase_order.mode, purchase_order.po_number, purchase_order.status,
                 purchase_order.revision, purchase_order.document_id, purchase_order.waiting, purchase_order.body,
                 document.subject_id AS document_subject,
                 (SELECT COUNT(*) FROM work WHERE step IN ('verify', 'allocate') AND subject = purchase_order.id) AS work
             FROM purchase_order LEFT JOIN document ON document.id = purchase_order.document_id
             AND document.direction = 'in' AND document.subject_kind = 'order'
             WHERE purchase_order.id > $1 ORDER BY purchase_order.id LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// The shipments of orders `first` to `last`: order, shipment's body; a shipment once for each of its orders.
    pub async fn kept_shipments_of(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<(i64, String)>, Failure> {
        self.rows(
            "SELECT shipment_order.order_id, shipment.body FROM shipment_order
             JOIN shipment ON shipment.id = shipment_order.shipment_id WHERE shipment_order.order_id BETWEEN $1 AND $2",
            binds![first, last],
        )
        .await
    }

    /// The invoices of orders `first` to `last`: order, invoice's body.
    pub async fn kept_invoices_of(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<(i64, String)>, Failure> {
        self.rows(
            "SELECT order_id, body FROM invoice WHERE order_id BETWEEN $1 AND $2 AND kind = 'invoice'",
            binds![first, last],
        )
        .await
    }

    /// Shipments after `after`, in order of number.
    pub async fn kept_shipments(
        &mut self,
        after: i64,
        most: i64,
    ) -> Result<Vec<KeptShipment>, Failure> {
        self.rows(
            "SELECT id, status, revision, body,
                 (SELECT COUNT(*) FROM stock_movement WHERE source = 'shipment:' || shipment.id AND kind = 'issue') AS issues,
                 (SELECT COUNT(*) FROM shipment_order WHERE shipment_id = shipment.id) AS orders
             FROM shipment WHERE id > $1 ORDER BY id LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// Orders after `after` that may hold stock: mode, body.
    pub async fn holding_orders(
        &mut self,
        status: &str,
        after: i64,
        most: i64,
    ) -> Result<Vec<(i64, String, String)>, Failure> {
        self.rows(
            "SELECT id, mode, body FROM purchase_order WHERE status = $1 AND id > $2 ORDER BY id LIMIT $3",
            binds![status, after, most],
        )
        .await
    }
}
