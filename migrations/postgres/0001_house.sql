-- The house as DESIGN.md draws it. Instants are microseconds since 1970 in UTC, dates are ISO text, amounts are minor
-- units, stock quantities are 1/10,000 base unit. Aggregates (order, shipment, invoice) stand in one row each: columns
-- for what is searched and summed, `body` for the rest, `revision` against lost updates.

CREATE SEQUENCE file_seq;
CREATE SEQUENCE interchange_seq;
CREATE SEQUENCE document_seq;
CREATE SEQUENCE transmission_seq;
CREATE SEQUENCE purchase_order_seq;
CREATE SEQUENCE shipment_seq;
CREATE SEQUENCE invoice_seq;
CREATE SEQUENCE payment_seq;
CREATE SEQUENCE deduction_seq;
CREATE SEQUENCE work_seq;
CREATE SEQUENCE alert_seq;
CREATE SEQUENCE mail_seq;
CREATE SEQUENCE audit_seq;
CREATE SEQUENCE partner_seq;
CREATE SEQUENCE connection_seq;
CREATE SEQUENCE edi_address_seq;
CREATE SEQUENCE item_seq;
CREATE SEQUENCE warehouse_seq;
CREATE SEQUENCE mailbox_login_seq;
CREATE SEQUENCE company_seq;
-- Gap-free numbers: control numbers, invoice series, SSCC serials. Taken in the transaction that uses them.
CREATE TABLE counter (scope TEXT PRIMARY KEY, value BIGINT NOT NULL);
-- Every effect has a key here, so that nothing happens twice. Narrow, never partitioned, never pruned.
CREATE TABLE effect (key TEXT PRIMARY KEY, subject BIGINT NOT NULL);

-- Who is who
CREATE TABLE company (id BIGINT PRIMARY KEY, name TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE partner (
    id BIGINT PRIMARY KEY, code TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
    profile_version BIGINT NOT NULL
);
CREATE TABLE profile (
    partner_id BIGINT NOT NULL REFERENCES partner (id), version BIGINT NOT NULL, text TEXT NOT NULL,
    applied_at BIGINT NOT NULL, applied_by TEXT NOT NULL, PRIMARY KEY (partner_id, version)
);
CREATE TABLE connection (
    id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, partner_id BIGINT REFERENCES partner (id),
    body TEXT NOT NULL, active BIGINT NOT NULL, polled_at BIGINT, problem TEXT
);
CREATE TABLE mailbox_login (
    id BIGINT PRIMARY KEY, connection_id BIGINT NOT NULL REFERENCES connection (id), kind TEXT NOT NULL,
    secret TEXT NOT NULL, created_at BIGINT NOT NULL
);
CREATE TABLE edi_address (
    id BIGINT PRIMARY KEY, partner_id BIGINT NOT NULL REFERENCES partner (id), qualifier TEXT NOT NULL,
    isa_id TEXT NOT NULL, gs_id TEXT NOT NULL, mode TEXT NOT NULL
);
CREATE UNIQUE INDEX edi_address_isa ON edi_address (qualifier, isa_id, gs_id, mode);
CREATE TABLE address_connection (
    address_id BIGINT NOT NULL REFERENCES edi_address (id), connection_id BIGINT NOT NULL REFERENCES connection (id),
    PRIMARY KEY (address_id, connection_id)
);

-- What we sell
CREATE TABLE item (
    id BIGINT PRIMARY KEY, company_id BIGINT NOT NULL, code TEXT NOT NULL, upc TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX item_code ON item (company_id, code);
-- partner_id 0: everybody's number. class: gtin (14 digits), vendor, buyer.
CREATE TABLE item_number (
    company_id BIGINT NOT NULL, partner_id BIGINT NOT NULL, class TEXT NOT NULL, value TEXT NOT NULL,
    item_id BIGINT NOT NULL REFERENCES item (id), PRIMARY KEY (company_id, class, value, partner_id)
);
CREATE TABLE price (
    company_id BIGINT NOT NULL, item_id BIGINT NOT NULL REFERENCES item (id), partner_id BIGINT NOT NULL,
    unit TEXT NOT NULL, currency TEXT NOT NULL, from_date TEXT NOT NULL, until_date TEXT, price TEXT NOT NULL,
    PRIMARY KEY (item_id, partner_id, unit, currency, from_date)
);
CREATE TABLE location (
    partner_id BIGINT NOT NULL REFERENCES partner (id), number TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (partner_id, number)
);
CREATE TABLE warehouse (id BIGINT PRIMARY KEY, company_id BIGINT NOT NULL, code TEXT NOT NULL, body TEXT NOT NULL);
CREATE UNIQUE INDEX warehouse_code ON warehouse (company_id, code);

-- Stock
CREATE TABLE stock (
    item_id BIGINT NOT NULL REFERENCES item (id), warehouse_id BIGINT NOT NULL REFERENCES warehouse (id),
    mode TEXT NOT NULL, on_hand BIGINT NOT NULL, reserved BIGINT NOT NULL, PRIMARY KEY (item_id, warehouse_id, mode)
);
-- One row a posting; entries are [item, change of on hand, change of reserved]. Their sum is the balance.
CREATE TABLE stock_movement (
    source TEXT NOT NULL, kind TEXT NOT NULL, warehouse_id BIGINT NOT NULL, mode TEXT NOT NULL, entries TEXT NOT NULL,
    at BIGINT NOT NULL, PRIMARY KEY (source, kind, warehouse_id)
);
CREATE TABLE expected_receipt (
    warehouse_id BIGINT NOT NULL, item_id BIGINT NOT NULL, mode TEXT NOT NULL, on_date TEXT NOT NULL,
    quantity BIGINT NOT NULL, promised BIGINT NOT NULL, PRIMARY KEY (item_id, warehouse_id, mode, on_date)
);

-- Bytes, in and out, by their SHA-256: small ones in the row, large ones in chunks.
CREATE TABLE content (
    sha256 TEXT PRIMARY KEY, size BIGINT NOT NULL, bytes BYTEA, created_at BIGINT NOT NULL
);
CREATE TABLE content_chunk (
    sha256 TEXT NOT NULL, ordinal BIGINT NOT NULL, bytes BYTEA NOT NULL, PRIMARY KEY (sha256, ordinal)
);

-- What came in
CREATE TABLE file (
    id BIGINT PRIMARY KEY, connection_id BIGINT, partner_id BIGINT, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    size BIGINT NOT NULL, received_at BIGINT NOT NULL, received_by TEXT NOT NULL, disposition TEXT NOT NULL,
    findings TEXT NOT NULL
);
CREATE INDEX file_disposition ON file (disposition, id);
CREATE TABLE interchange (
    id BIGINT PRIMARY KEY, file_id BIGINT NOT NULL REFERENCES file (id), byte_offset BIGINT NOT NULL,
    size BIGINT NOT NULL, partner_id BIGINT, profile_version BIGINT, mode TEXT NOT NULL, pair TEXT NOT NULL,
    isa13 TEXT NOT NULL, header TEXT NOT NULL, sha256 TEXT NOT NULL, disposition TEXT NOT NULL, findings TEXT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX interchange_place ON interchange (file_id, byte_offset);
CREATE INDEX interchange_number ON interchange (pair, isa13);
CREATE TABLE functional_group (
    interchange_id BIGINT NOT NULL REFERENCES interchange (id), ordinal BIGINT NOT NULL, functional_id TEXT NOT NULL,
    gs06 TEXT NOT NULL, verdict TEXT NOT NULL, PRIMARY KEY (interchange_id, ordinal)
);

-- Documents of both directions. address: whom one of ours goes to (JSON), where that is not the partner's first address.
CREATE TABLE document (
    id BIGINT PRIMARY KEY, direction TEXT NOT NULL, company_id BIGINT NOT NULL, partner_id BIGINT, mode TEXT NOT NULL,
    set_code TEXT NOT NULL, file_id BIGINT, interchange_id BIGINT, transmission_id BIGINT, group_ordinal BIGINT,
    set_ordinal BIGINT, isa13 TEXT NOT NULL, gs06 TEXT NOT NULL, st02 TEXT NOT NULL, byte_offset BIGINT, size BIGINT,
    disposition TEXT NOT NULL, delivery TEXT NOT NULL, syntax TEXT NOT NULL, application TEXT NOT NULL,
    subject_kind TEXT NOT NULL, subject_id BIGINT, reference TEXT NOT NULL, findings TEXT NOT NULL, body TEXT,
    corrected_sha256 TEXT, replaces_id BIGINT, created_at BIGINT NOT NULL, sent_at BIGINT, answer_due_at BIGINT,
    answered_at BIGINT, address TEXT NOT NULL DEFAULT ''
);
CREATE INDEX document_subject ON document (subject_kind, subject_id);
CREATE INDEX document_disposition ON document (disposition, id);
CREATE INDEX document_delivery ON document (partner_id, delivery, id);
CREATE INDEX document_group ON document (partner_id, gs06, st02);
CREATE INDEX document_interchange ON document (interchange_id);
CREATE INDEX document_transmission ON document (transmission_id);
CREATE INDEX document_answer_due ON document (answer_due_at);

-- What goes out: one row a file, the partner's outbound/ is a listing of these.
CREATE TABLE transmission (
    id BIGINT PRIMARY KEY, connection_id BIGINT NOT NULL REFERENCES connection (id), partner_id BIGINT NOT NULL,
    mode TEXT NOT NULL, isa13 TEXT NOT NULL, set_code TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL,
    size BIGINT NOT NULL, state TEXT NOT NULL, created_at BIGINT NOT NULL, delivered_at BIGINT,
    picked_up_at BIGINT, picked_up_by TEXT, removed_at BIGINT, attempts BIGINT NOT NULL, problem TEXT, renamed TEXT,
    pickup_due_at BIGINT
);
CREATE UNIQUE INDEX transmission_name ON transmission (connection_id, name);
CREATE INDEX transmission_pickup_due ON transmission (pickup_due_at) WHERE pickup_due_at IS NOT NULL;
CREATE INDEX transmission_renamed ON transmission (connection_id, renamed) WHERE renamed IS NOT NULL;
CREATE INDEX transmission_state ON transmission (connection_id, state);

-- Orders, shipments, invoices
CREATE TABLE purchase_order (
    id BIGINT PRIMARY KEY, company_id BIGINT NOT NULL, partner_id BIGINT NOT NULL, mode TEXT NOT NULL,
    po_number TEXT NOT NULL, status TEXT NOT NULL, revision BIGINT NOT NULL, received_at BIGINT NOT NULL,
    document_id BIGINT NOT NULL, value BIGINT NOT NULL, currency TEXT NOT NULL, ship_by TEXT, waiting BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX purchase_order_po ON purchase_order (po_number);
CREATE INDEX purchase_order_status ON purchase_order (status, id);
-- Orders of which something waits for stock.
CREATE INDEX purchase_order_waiting ON purchase_order (mode, id) WHERE waiting = 1;
CREATE INDEX purchase_order_partner ON purchase_order (partner_id, id);
CREATE TABLE shipment (
    id BIGINT PRIMARY KEY, company_id BIGINT NOT NULL, partner_id BIGINT NOT NULL, mode TEXT NOT NULL,
    warehouse_id BIGINT NOT NULL, status TEXT NOT NULL, revision BIGINT NOT NULL, created_at BIGINT NOT NULL,
    shipped_at BIGINT, not_before TEXT, ship_to TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX shipment_status ON shipment (status, id);
CREATE TABLE shipment_order (
    shipment_id BIGINT NOT NULL REFERENCES shipment (id), order_id BIGINT NOT NULL, PRIMARY KEY (order_id, shipment_id)
);
-- SSCC serials: runs that were issued to shipments, and those that people or files gave to cartons instead.
CREATE TABLE label_run (
    numbering TEXT NOT NULL, mode TEXT NOT NULL, first_serial BIGINT NOT NULL, last_serial BIGINT NOT NULL,
    shipment_id BIGINT NOT NULL, PRIMARY KEY (numbering, mode, first_serial)
);
CREATE TABLE label_given (
    numbering TEXT NOT NULL, mode TEXT NOT NULL, serial BIGINT NOT NULL, shipment_id BIGINT NOT NULL,
    PRIMARY KEY (numbering, mode, serial)
);
CREATE INDEX shipment_order_shipment ON shipment_order (shipment_id);
CREATE TABLE invoice (
    id BIGINT PRIMARY KEY, company_id BIGINT NOT NULL, partner_id BIGINT NOT NULL, mode TEXT NOT NULL,
    number TEXT NOT NULL, kind TEXT NOT NULL, order_id BIGINT NOT NULL, po_number TEXT NOT NULL, date TEXT NOT NULL,
    due TEXT NOT NULL, currency TEXT NOT NULL, total BIGINT NOT NULL, open BIGINT NOT NULL, disputed BIGINT NOT NULL,
    written_off BIGINT NOT NULL, discount BIGINT NOT NULL, discount_until TEXT, status TEXT NOT NULL,
    revision BIGINT NOT NULL, created_at BIGINT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX invoice_number ON invoice (company_id, number);
CREATE INDEX invoice_order ON invoice (order_id);
CREATE INDEX invoice_open ON invoice (partner_id, status);
CREATE INDEX invoice_po ON invoice (po_number);

-- Money
CREATE TABLE payment (
    id BIGINT PRIMARY KEY, company_id BIGINT NOT NULL, partner_id BIGINT NOT NULL, mode TEXT NOT NULL,
    reference TEXT NOT NULL, method TEXT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL, date TEXT NOT NULL,
    document_id BIGINT, status TEXT NOT NULL, unapplied BIGINT NOT NULL, created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX payment_partner ON payment (partner_id, status);
CREATE TABLE application (
    payment_id BIGINT NOT NULL REFERENCES payment (id), invoice_id BIGINT NOT NULL REFERENCES invoice (id),
    paid BIGINT NOT NULL, discount BIGINT NOT NULL, written_off BIGINT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (invoice_id, payment_id)
);
CREATE TABLE deduction (
    id BIGINT PRIMARY KEY, company_id BIGINT NOT NULL, partner_id BIGINT NOT NULL, mode TEXT NOT NULL,
    payment_id BIGINT NOT NULL REFERENCES payment (id), invoice_id BIGINT, claimed_reference TEXT NOT NULL,
    taken BIGINT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL, reason TEXT NOT NULL, reference TEXT NOT NULL,
    status TEXT NOT NULL, created_at BIGINT NOT NULL
);
CREATE INDEX deduction_invoice ON deduction (invoice_id);
CREATE INDEX deduction_partner ON deduction (partner_id, status);
CREATE TABLE ledger_entry (
    source TEXT NOT NULL, rule TEXT NOT NULL, ordinal BIGINT NOT NULL, account TEXT NOT NULL, company_id BIGINT NOT NULL,
    partner_id BIGINT NOT NULL, mode TEXT NOT NULL, invoice_id BIGINT, amount BIGINT NOT NULL, currency TEXT NOT NULL,
    at BIGINT NOT NULL, PRIMARY KEY (source, rule, ordinal)
);

-- Work: found here, claimed a lane at a time
CREATE TABLE lane (id BIGINT PRIMARY KEY, leased_until BIGINT NOT NULL, fence BIGINT NOT NULL);
CREATE TABLE work (
    id BIGINT PRIMARY KEY, lane BIGINT NOT NULL, step TEXT NOT NULL, subject BIGINT NOT NULL, due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL, problem TEXT
);
CREATE UNIQUE INDEX work_subject ON work (step, subject);
CREATE INDEX work_due ON work (lane, due_at);

-- People, alerts, mail, audit
CREATE TABLE alert (
    id BIGINT PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, partner_id BIGINT, subject_kind TEXT NOT NULL,
    subject_id BIGINT, message TEXT NOT NULL, raised_at BIGINT NOT NULL, cleared_at BIGINT
);
CREATE INDEX alert_open ON alert (subject_kind, subject_id) WHERE cleared_at IS NULL;
CREATE TABLE mail (
    id BIGINT PRIMARY KEY, key TEXT NOT NULL UNIQUE, recipients TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
    created_at BIGINT NOT NULL, sent_at BIGINT, attempts BIGINT NOT NULL, next_at BIGINT, problem TEXT
);
CREATE INDEX mail_next ON mail (next_at);
CREATE TABLE audit (
    id BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject_kind TEXT NOT NULL,
    subject_id BIGINT, detail TEXT NOT NULL
);
CREATE INDEX audit_subject ON audit (subject_kind, subject_id);
CREATE TABLE console_user (
    name TEXT PRIMARY KEY, password TEXT NOT NULL, roles TEXT NOT NULL, active BIGINT NOT NULL, created_at BIGINT NOT NULL
);
CREATE TABLE console_session (
    token_hash TEXT PRIMARY KEY, name TEXT NOT NULL, csrf TEXT NOT NULL, expires_at BIGINT NOT NULL
);
INSERT INTO lane (id, leased_until, fence) SELECT n, 0, 0 FROM generate_series(0, 63) AS n;
