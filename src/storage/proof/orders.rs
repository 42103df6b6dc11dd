//! Orders and shipments with what has to agree with them.

use crate::binds;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

row! {
    /// An order and what stands beside it.
    #[derive(Debug)]
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
        /// Alerts that what waits of it can not leave by its last day; not asked for where nothing waits.
        pub late: i64,
    }
}

row! {
    /// A shipment and what stands beside it.
    #[derive(Debug)]
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
        /// Whose goods they are.
        pub partner_id: i64,
        /// When it was planned.
        pub created_at: i64,
        /// When it left.
        pub shipped_at: Option<i64>,
        /// Its warehouse as JSON; none: it is not there.
        pub warehouse: Option<String>,
        /// Work that waits to let it go, or to bill it.
        pub work: i64,
        /// Its ship notices that the partner accepted.
        pub accepted: i64,
        /// Alerts that its window closed before it left: a person decides then.
        pub closed: i64,
    }
}

impl Connection {
    /// Orders after `after`, in order of number.
    pub async fn kept_orders(&mut self, after: i64, most: i64) -> Result<Vec<KeptOrder>, Failure> {
        self.rows(
            "SELECT purchase_order.id, purchase_order.mode, purchase_order.po_number, purchase_order.status,
                 purchase_order.revision, purchase_order.document_id, purchase_order.waiting, purchase_order.body,
                 document.subject_id AS document_subject,
                 (SELECT COUNT(*) FROM work WHERE step IN ('verify', 'allocate') AND subject = purchase_order.id) AS work,
                 CASE WHEN purchase_order.waiting = 1 THEN (SELECT COUNT(*) FROM alert WHERE subject_kind = 'order'
                     AND subject_id = purchase_order.id AND kind = 'backorder-late') ELSE 0 END AS late
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
            "SELECT shipment.id, shipment.status, shipment.revision, shipment.body, shipment.partner_id, shipment.created_at,
                 shipment.shipped_at, warehouse.body AS warehouse,
                 (SELECT COUNT(*) FROM stock_movement WHERE source = 'shipment:' || shipment.id AND kind = 'issue') AS issues,
                 (SELECT COUNT(*) FROM shipment_order WHERE shipment_id = shipment.id) AS orders,
                 (SELECT COUNT(*) FROM work WHERE step IN ('fulfil', 'invoice') AND subject = shipment.id) AS work,
                 (SELECT COUNT(*) FROM document WHERE subject_kind = 'shipment' AND subject_id = shipment.id
                     AND direction = 'out' AND set_code = '856' AND syntax = 'accepted') AS accepted,
                 (SELECT COUNT(*) FROM alert WHERE key = 'window-closed:' || shipment.id) AS closed
             FROM shipment LEFT JOIN warehouse ON warehouse.id = shipment.warehouse_id
             WHERE shipment.id > $1 ORDER BY shipment.id LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// Which orders on shipments `first` to `last` were not billed for what is on them: shipment, order.
    pub async fn unbilled(&mut self, first: i64, last: i64) -> Result<Vec<(i64, i64)>, Failure> {
        self.rows(
            "SELECT shipment_id, order_id FROM shipment_order WHERE shipment_id BETWEEN $1 AND $2 AND NOT EXISTS (
                 SELECT 1 FROM effect WHERE key = 'bill:' || shipment_order.order_id || ':' || shipment_order.shipment_id)",
            binds![first, last],
        )
        .await
    }

    /// When a list of warehouses was loaded last.
    pub async fn warehouses_loaded(&mut self) -> Result<i64, Failure> {
        self.number(
            "SELECT COALESCE(MAX(at), 0) FROM audit WHERE subject_kind = 'company' AND action = 'warehouses loaded'",
            vec![],
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
