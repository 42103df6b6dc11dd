-- The house as DESIGN.md draws it. Instants are microseconds since 1970 in UTC, dates are ISO text, amounts are minor
-- units, stock quantities are 1/10,000 base unit. Aggregates (order, shipment, invoice) stand in one row each: columns
-- for what is searched and summed, `body` for the rest, `revision` against lost updates.
-- Rows that stay for ever have an `id` that rises, so that the sealer can cover them in batches (storage/seals.rs).

CREATE TABLE sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
-- Gap-free numbers: control numbers, invoice series, SSCC serials. Taken in the transaction that uses them.
CREATE TABLE counter (id INTEGER PRIMARY KEY, scope TEXT NOT NULL UNIQUE, value INTEGER NOT NULL);
-- Every effect has a key here, so that nothing happens twice. Narrow, never partitioned, never pruned.
CREATE TABLE effect (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, subject INTEGER NOT NULL);

-- Who is who
CREATE TABLE company (id INTEGER PRIMARY KEY, name TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE partner (
    id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
    profile_version INTEGER NOT NULL
);
CREATE TABLE profile (
    id INTEGER PRIMARY KEY,
    partner_id INTEGER NOT NULL REFERENCES partner (id), version INTEGER NOT NULL, text TEXT NOT NULL,
    applied_at INTEGER NOT NULL, applied_by TEXT NOT NULL, UNIQUE (partner_id, version)
);
CREATE TABLE connection (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, partner_id INTEGER REFERENCES partner (id),
    body TEXT NOT NULL, active INTEGER NOT NULL, polled_at INTEGER, problem TEXT
);
CREATE TABLE mailbox_login (
    id INTEGER PRIMARY KEY, connection_id INTEGER NOT NULL REFERENCES connection (id), kind TEXT NOT NULL,
    secret TEXT NOT NULL, created_at INTEGER NOT NULL
);
CREATE TABLE edi_address (
    id INTEGER PRIMARY KEY, partner_id INTEGER NOT NULL REFERENCES partner (id), qualifier TEXT NOT NULL,
    isa_id TEXT NOT NULL, gs_id TEXT NOT NULL, mode TEXT NOT NULL
);
CREATE UNIQUE INDEX edi_address_isa ON edi_address (qualifier, isa_id, gs_id, mode);
CREATE TABLE address_connection (
    address_id INTEGER NOT NULL REFERENCES edi_address (id), connection_id INTEGER NOT NULL REFERENCES connection (id),
    PRIMARY KEY (address_id, connection_id)
);

-- What we sell
CREATE TABLE item (
    id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, code TEXT NOT NULL, upc TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX item_code ON item (company_id, code);
-- partner_id 0: everybody's number. class: gtin (14 digits), vendor, buyer.
CREATE TABLE item_number (
    id INTEGER PRIMARY KEY,
    company_id INTEGER NOT NULL, partner_id INTEGER NOT NULL, class TEXT NOT NULL, value TEXT NOT NULL,
    item_id INTEGER NOT NULL REFERENCES item (id), UNIQUE (company_id, class, value, partner_id)
);
CREATE TABLE price (
    id INTEGER PRIMARY KEY,
    company_id INTEGER NOT NULL, item_id INTEGER NOT NULL REFERENCES item (id), partner_id INTEGER NOT NULL,
    unit TEXT NOT NULL, currency TEXT NOT NULL, from_date TEXT NOT NULL, until_date TEXT, price TEXT NOT NULL,
    UNIQUE (item_id, partner_id, unit, currency, from_date)
);
CREATE TABLE location (
    id INTEGER PRIMARY KEY,
    partner_id INTEGER NOT NULL REFERENCES partner (id), number TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (partner_id, number)
);
CREATE TABLE warehouse (id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, code TEXT NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX warehouse_code ON warehouse (company_id, code);

-- Stock. set_aside: what waiting orders hold that ship complete or not at all; uncounted: what shipments left behind and
-- nobody has counted since. Neither is promised to others.
CREATE TABLE stock (
    id INTEGER PRIMARY KEY,
    item_id INTEGER NOT NULL REFERENCES item (id), warehouse_id INTEGER NOT NULL REFERENCES warehouse (id),
    mode TEXT NOT NULL, on_hand INTEGER NOT NULL, reserved INTEGER NOT NULL, set_aside INTEGER NOT NULL DEFAULT 0,
    uncounted INTEGER NOT NULL DEFAULT 0, UNIQUE (item_id, warehouse_id, mode)
);
-- One row a posting; entries are [item, change of on hand, change of reserved]. Their sum is the balance.
CREATE TABLE stock_movement (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL, kind TEXT NOT NULL, warehouse_id INTEGER NOT NULL, mode TEXT NOT NULL, entries TEXT NOT NULL,
    at INTEGER NOT NULL, UNIQUE (source, kind, warehouse_id)
);
-- closed: 1 where it was counted or did not come; it is expected no longer.
CREATE TABLE expected_receipt (
    id INTEGER PRIMARY KEY,
    warehouse_id INTEGER NOT NULL, item_id INTEGER NOT NULL, mode TEXT NOT NULL, on_date TEXT NOT NULL,
    quantity INTEGER NOT NULL, promised INTEGER NOT NULL, closed INTEGER NOT NULL DEFAULT 0,
    told INTEGER NOT NULL DEFAULT 0,
    UNIQUE (item_id, warehouse_id, mode, on_date)
);
CREATE INDEX expected_receipt_open ON expected_receipt (on_date) WHERE closed = 0;
CREATE INDEX expected_receipt_told ON expected_receipt (warehouse_id) WHERE told = 1;

-- Bytes, in and out, by their SHA-256: small ones in the row, large ones in chunks or, where an object store is named, in
-- an object with the SHA-256 of each of its blocks.
CREATE TABLE content (
    sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, bytes BLOB, created_at INTEGER NOT NULL
);
CREATE TABLE content_chunk (
    sha256 TEXT NOT NULL, ordinal INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (sha256, ordinal)
);
CREATE TABLE content_object (
    sha256 TEXT PRIMARY KEY, object TEXT NOT NULL, size INTEGER NOT NULL, block_size INTEGER NOT NULL,
    digests BLOB NOT NULL
);

-- What came in
CREATE TABLE file (
    id INTEGER PRIMARY KEY, connection_id INTEGER, partner_id INTEGER, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    size INTEGER NOT NULL, received_at INTEGER NOT NULL, received_by TEXT NOT NULL, disposition TEXT NOT NULL,
    findings TEXT NOT NULL
);
CREATE INDEX file_disposition ON file (disposition, id);
CREATE INDEX file_name ON file (name);
CREATE INDEX file_connection ON file (connection_id, id);
CREATE INDEX file_partner ON file (partner_id, id) WHERE partner_id IS NOT NULL;
CREATE TABLE interchange (
    id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL REFERENCES file (id), byte_offset INTEGER NOT NULL,
    size INTEGER NOT NULL, partner_id INTEGER, profile_version INTEGER, mode TEXT NOT NULL, pair TEXT NOT NULL,
    isa13 TEXT NOT NULL, header TEXT NOT NULL, sha256 TEXT NOT NULL, disposition TEXT NOT NULL, findings TEXT NOT NULL,
    received_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX interchange_place ON interchange (file_id, byte_offset);
CREATE INDEX interchange_number ON interchange (isa13, pair);
CREATE TABLE functional_group (
    interchange_id INTEGER NOT NULL REFERENCES interchange (id), ordinal INTEGER NOT NULL, functional_id TEXT NOT NULL,
    gs06 TEXT NOT NULL, verdict TEXT NOT NULL, PRIMARY KEY (interchange_id, ordinal)
);

-- Documents of both directions. address: whom one of ours goes to (JSON), where that is not the partner's first address.
CREATE TABLE document (
    id INTEGER PRIMARY KEY, direction TEXT NOT NULL, company_id INTEGER NOT NULL, partner_id INTEGER, mode TEXT NOT NULL,
    set_code TEXT NOT NULL, file_id INTEGER, interchange_id INTEGER, transmission_id INTEGER, group_ordinal INTEGER,
    set_ordinal INTEGER, isa13 TEXT NOT NULL, gs06 TEXT NOT NULL, st02 TEXT NOT NULL, byte_offset INTEGER, size INTEGER,
    disposition TEXT NOT NULL, delivery TEXT NOT NULL, syntax TEXT NOT NULL, application TEXT NOT NULL,
    subject_kind TEXT NOT NULL, subject_id INTEGER, reference TEXT NOT NULL, findings TEXT NOT NULL, body TEXT,
    corrected_sha256 TEXT, replaces_id INTEGER, created_at INTEGER NOT NULL, sent_at INTEGER, answer_due_at INTEGER,
    answered_at INTEGER, address TEXT NOT NULL DEFAULT ''
);
CREATE INDEX document_subject ON document (subject_kind, subject_id);
CREATE INDEX document_disposition ON document (disposition, id);
CREATE INDEX document_delivery ON document (partner_id, delivery, id);
CREATE INDEX document_group ON document (partner_id, gs06, st02);
CREATE INDEX document_interchange ON document (interchange_id);
CREATE INDEX document_transmission ON document (transmission_id);
CREATE INDEX document_answer_due ON document (answer_due_at);
CREATE INDEX document_set ON document (set_code, id);
-- What the console shows of millions: what waits for a person, what is not accepted, what is of the world of test traffic,
-- what is about nothing yet; and how many there were on a day, those left out that nobody answers.
CREATE INDEX document_waiting ON document (id)
    WHERE disposition = 'held' OR delivery = 'held' OR (direction = 'out' AND syntax = 'rejected' AND delivery <> 'superseded');
CREATE INDEX document_unsettled ON document (syntax, id) WHERE syntax NOT IN ('accepted', 'none');
CREATE INDEX document_test ON document (id) WHERE mode = 'test';
CREATE INDEX document_replaces ON document (replaces_id) WHERE replaces_id IS NOT NULL;
CREATE INDEX document_loose ON document (reference) WHERE subject_kind = '' AND reference <> '';
CREATE INDEX document_day ON document (created_at, set_code) WHERE set_code NOT IN ('997', '999', 'TA1');

-- What goes out: one row a file, the partner's outbound/ is a listing of these.
CREATE TABLE transmission (
    id INTEGER PRIMARY KEY, connection_id INTEGER NOT NULL REFERENCES connection (id), partner_id INTEGER NOT NULL,
    mode TEXT NOT NULL, isa13 TEXT NOT NULL, set_code TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    size INTEGER NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL, delivered_at INTEGER,
    picked_up_at INTEGER, picked_up_by TEXT, removed_at INTEGER, attempts INTEGER NOT NULL, problem TEXT, renamed TEXT,
    pickup_due_at INTEGER
);
CREATE UNIQUE INDEX transmission_name ON transmission (connection_id, name);
CREATE INDEX transmission_pickup_due ON transmission (pickup_due_at) WHERE pickup_due_at IS NOT NULL;
CREATE INDEX transmission_renamed ON transmission (connection_id, renamed) WHERE renamed IS NOT NULL;
CREATE INDEX transmission_state ON transmission (connection_id, state);
-- What lies in a mailbox: a few of all that ever did.
CREATE INDEX transmission_lying ON transmission (connection_id, id)
    WHERE state IN ('delivered', 'picked_up') AND removed_at IS NULL;
CREATE INDEX transmission_partner ON transmission (partner_id, id);
CREATE INDEX transmission_number ON transmission (isa13);

-- Orders, shipments, invoices
CREATE TABLE purchase_order (
    id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, partner_id INTEGER NOT NULL, mode TEXT NOT NULL,
    po_number TEXT NOT NULL, status TEXT NOT NULL, revision INTEGER NOT NULL, received_at INTEGER NOT NULL,
    document_id INTEGER NOT NULL, value INTEGER NOT NULL, currency TEXT NOT NULL, ship_by TEXT, waiting INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX purchase_order_po ON purchase_order (po_number);
CREATE INDEX purchase_order_status ON purchase_order (status, id);
-- Orders of which something waits for stock.
CREATE INDEX purchase_order_waiting ON purchase_order (mode, id) WHERE waiting = 1;
CREATE INDEX purchase_order_partner ON purchase_order (partner_id, id);
CREATE INDEX purchase_order_partner_status ON purchase_order (partner_id, status, id);
CREATE INDEX purchase_order_test ON purchase_order (id) WHERE mode = 'test';
CREATE TABLE shipment (
    id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, partner_id INTEGER NOT NULL, mode TEXT NOT NULL,
    warehouse_id INTEGER NOT NULL, status TEXT NOT NULL, revision INTEGER NOT NULL, created_at INTEGER NOT NULL,
    shipped_at INTEGER, not_before TEXT, ship_to TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX shipment_status ON shipment (status, id);
CREATE INDEX shipment_partner ON shipment (partner_id, id);
CREATE INDEX shipment_warehouse ON shipment (warehouse_id, id);
-- What carriers call a shipment or a package of it: bill of lading and tracking numbers, to be searched for.
CREATE TABLE shipment_number (
    id INTEGER PRIMARY KEY,
    number TEXT NOT NULL, shipment_id INTEGER NOT NULL, UNIQUE (number, shipment_id)
);
CREATE TABLE shipment_order (
    shipment_id INTEGER NOT NULL REFERENCES shipment (id), order_id INTEGER NOT NULL, PRIMARY KEY (order_id, shipment_id)
);
-- SSCC serials: runs that were issued to shipments, and those that people or files gave to cartons instead.
CREATE TABLE label_run (
    id INTEGER PRIMARY KEY,
    numbering TEXT NOT NULL, mode TEXT NOT NULL, first_serial INTEGER NOT NULL, last_serial INTEGER NOT NULL,
    shipment_id INTEGER NOT NULL, UNIQUE (numbering, mode, first_serial)
);
CREATE TABLE label_given (
    id INTEGER PRIMARY KEY,
    numbering TEXT NOT NULL, mode TEXT NOT NULL, serial INTEGER NOT NULL, shipment_id INTEGER NOT NULL,
    UNIQUE (numbering, mode, serial)
);
CREATE INDEX shipment_order_shipment ON shipment_order (shipment_id);
CREATE TABLE invoice (
    id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, partner_id INTEGER NOT NULL, mode TEXT NOT NULL,
    number TEXT NOT NULL, kind TEXT NOT NULL, order_id INTEGER NOT NULL, po_number TEXT NOT NULL, date TEXT NOT NULL,
    due TEXT NOT NULL, currency TEXT NOT NULL, total INTEGER NOT NULL, open INTEGER NOT NULL, disputed INTEGER NOT NULL,
    written_off INTEGER NOT NULL, discount INTEGER NOT NULL, discount_until TEXT, status TEXT NOT NULL,
    revision INTEGER NOT NULL, created_at INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX invoice_number ON invoice (company_id, number);
CREATE INDEX invoice_order ON invoice (order_id);
CREATE INDEX invoice_open ON invoice (partner_id, status);
CREATE INDEX invoice_po ON invoice (po_number);
CREATE INDEX invoice_test ON invoice (id) WHERE mode = 'test';
CREATE INDEX invoice_credit ON invoice (id) WHERE kind <> 'invoice';
-- What is owed and how old it is, without a look at the invoices themselves.
CREATE INDEX invoice_owed ON invoice (partner_id, currency, due, mode, kind, open, disputed, status, id)
    WHERE status IN ('open', 'partially_paid');

-- Money
CREATE TABLE payment (
    id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, partner_id INTEGER NOT NULL, mode TEXT NOT NULL,
    reference TEXT NOT NULL, method TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, date TEXT NOT NULL,
    document_id INTEGER, status TEXT NOT NULL, unapplied INTEGER NOT NULL, created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX payment_partner ON payment (partner_id, status);
CREATE INDEX payment_reference ON payment (reference);
CREATE TABLE application (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER NOT NULL REFERENCES payment (id), invoice_id INTEGER NOT NULL REFERENCES invoice (id),
    paid INTEGER NOT NULL, discount INTEGER NOT NULL, written_off INTEGER NOT NULL, at INTEGER NOT NULL,
    UNIQUE (invoice_id, payment_id)
);
CREATE TABLE deduction (
    id INTEGER PRIMARY KEY, company_id INTEGER NOT NULL, partner_id INTEGER NOT NULL, mode TEXT NOT NULL,
    payment_id INTEGER NOT NULL REFERENCES payment (id), invoice_id INTEGER, claimed_reference TEXT NOT NULL,
    taken INTEGER NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, reason TEXT NOT NULL,
    reference TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL
);
CREATE INDEX deduction_invoice ON deduction (invoice_id);
CREATE INDEX deduction_partner ON deduction (partner_id, status);
CREATE TABLE ledger_entry (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL, rule TEXT NOT NULL, ordinal INTEGER NOT NULL, account TEXT NOT NULL, company_id INTEGER NOT NULL,
    partner_id INTEGER NOT NULL, mode TEXT NOT NULL, invoice_id INTEGER, amount INTEGER NOT NULL, currency TEXT NOT NULL,
    at INTEGER NOT NULL, UNIQUE (source, rule, ordinal)
);

-- Work: found here, claimed a lane at a time. Lanes 0 to 63 are the steps', lane 64 is the sealer's.
CREATE TABLE lane (id INTEGER PRIMARY KEY, leased_until INTEGER NOT NULL, fence INTEGER NOT NULL);
-- Numbers are given once: who puts a piece of work off that another has done meanwhile must not meet a new one.
CREATE TABLE work (
    id INTEGER PRIMARY KEY AUTOINCREMENT, lane INTEGER NOT NULL, step TEXT NOT NULL, subject INTEGER NOT NULL, due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL, problem TEXT
);
CREATE UNIQUE INDEX work_subject ON work (step, subject);
CREATE INDEX work_due ON work (lane, due_at);

-- People, alerts, mail, audit
CREATE TABLE alert (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, partner_id INTEGER, subject_kind TEXT NOT NULL,
    subject_id INTEGER, message TEXT NOT NULL, raised_at INTEGER NOT NULL, cleared_at INTEGER
);
CREATE INDEX alert_subject ON alert (subject_kind, subject_id);
CREATE INDEX alert_open ON alert (id) WHERE cleared_at IS NULL;
CREATE TABLE mail (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, recipients TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
    created_at INTEGER NOT NULL, sent_at INTEGER, attempts INTEGER NOT NULL, next_at INTEGER, problem TEXT
);
CREATE INDEX mail_next ON mail (next_at);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject_kind TEXT NOT NULL,
    subject_id INTEGER, detail TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject_kind, subject_id);
CREATE INDEX audit_actor ON audit (actor, id)
    WHERE actor NOT IN ('partner', 'verification', 'allocation', 'at once', 'invoicing');
CREATE TABLE console_user (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE, password TEXT NOT NULL, roles TEXT NOT NULL, active INTEGER NOT NULL, created_at INTEGER NOT NULL
);
-- The seals: one chain of batches. `body` says how far each table is sealed, and the rows and the SHA-256 of each piece;
-- `hash` is over all of that and the seal before.
CREATE TABLE seal (
    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE console_session (
    token_hash TEXT PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL, expires_at INTEGER NOT NULL
);
INSERT INTO sequence (name, value) VALUES ('file', 0), ('interchange', 0), ('document', 0), ('transmission', 0), ('purchase_order', 0), ('shipment', 0), ('invoice', 0), ('payment', 0), ('deduction', 0), ('alert', 0), ('mail', 0), ('audit', 0), ('partner', 0), ('connection', 0), ('edi_address', 0), ('item', 0), ('warehouse', 0), ('mailbox_login', 0);
INSERT INTO lane (id, leased_until, fence)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 64) SELECT i, 0, 0 FROM n;
