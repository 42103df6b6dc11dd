//! The contract of the command line with a partner that ships with nothing here: every field, type and status that
//! scripts rely on, from an 850 to a paid invoice, on both databases, alone and beside a running gateway.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::peers::postgres::{FreshDatabase, fresh_database};

const NOW: &str = "2026-03-02T15:00:00Z";

pub(crate) const SETTINGS: &str = r#"
[[company]]
name = "Harbor Lamp Works"
id = "HARBORLAMP"
street = "7 Lantern Row"
city = "Salem"
state = "MA"
postal_code = "01970"
gs1_prefix = "0712345"
"#;

pub(crate) const PROFILE: &str = r#"
partner = "quillfeather"
name = "Quillfeather Stationers"
vendor_number = "55-2"

[[address]]
qualifier = "14"
id = "QUILLF"
gs_id = "QUILLGS"

[envelope]
element = "|"
terminator = "\n"
component = ":"

[verification]
price_differs = "hold"

[packing]
carton_units_max = 5
mix_items = false
"#;

const ITEMS: &str = "code,upc,vendor_number,buyer_number,partner,description,pack,grams\n\
    LAMP-1,712345000019,LAMP-1,Q100,quillfeather,BRASS LAMP,1,900\n\
    LAMP-2,712345000026,LAMP-2,Q200,quillfeather,DESK LAMP,1,700\n";
const PRICES: &str = "item,partner,price\nLAMP-1,quillfeather,100\nLAMP-2,quillfeather,40\n";
const WAREHOUSES: &str = "code,name,street,city,state,zip,country,zone,fulfilment,carrier\n\
    PORT,Port House,1 Quay,Salem,MA,01970,US,America/New_York,at_once,SMPL\n\
    HILL,Hill House,9 Hill,Salem,MA,01970,US,America/New_York,person,SMPL\n";
const STOCK: &str = "warehouse,item,quantity\nPORT,LAMP-1,100\nHILL,LAMP-2,8\n";
const LOCATIONS: &str =
    "number,name,street,city,state,zip\nS1,QUILLFEATHER ONE,2 Ink Street,Troy,NY,12180\n";

/// One program over one database.
pub(crate) struct Program {
    folder: TempDir,
    pub(crate) database: Option<FreshDatabase>,
    serving: Option<Child>,
    name: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(serving) = &mut self.serving {
            // It may have ended by itself, which the test has told by then.
            let _ = serving.kill();
            let _ = serving.wait();
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Program {
    /// A program that nobody serves, over this database or SQLite in its folder.
    pub(crate) fn over(database: Option<FreshDatabase>, name: String) -> Self {
        let program = Self {
            folder: tempfile::tempdir().expect("a folder"),
            database,
            serving: None,
            name,
        };
        std::fs::create_dir(program.data()).expect("a data folder");
        std::fs::write(program.data().join("supercargo.toml"), SETTINGS).expect("written");
        program
    }

    async fn each() -> Vec<Self> {
        let mut all = Vec::new();
        for served in [false, true] {
            for engine in ["SQLite", "PostgreSQL"] {
                let database = match engine {
                    "SQLite" => None,
                    _ => match fresh_database().await {
                        Some(database) => Some(database),
                        None => continue,
                    },
                };
                let beside = if served { " beside serve" } else { "" };
                let mut program = Self::over(database, format!("{engine}{beside}"));
                if served {
                    program.serve();
                }
                all.push(program);
            }
        }
        all
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supercargo"));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .env_remove("DATABASE_URL");
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", &database.url);
        }
        command
    }

    fn serve(&mut self) {
        let serving = self
            .command(&[
                "serve",
                "--sftp",
                "127.0.0.1:0",
                "--http",
                "127.0.0.1:0",
                "--now",
                NOW,
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        self.serving = Some(serving);
        let path = self.data().join("endpoints.json");
        let endpoints = loop {
            if let Some(ended) = self
                .serving
                .as_mut()
                .and_then(|child| child.try_wait().ok())
            {
                assert!(ended.is_none(), "{}: serve ended: {ended:?}", self.name);
            }
            let read = std::fs::read(&path).ok();
            if let Some(value) = read.and_then(|text| serde_json::from_slice::<Value>(&text).ok()) {
                break value;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        for field in ["sftp", "http"] {
            let address = endpoints[field].as_str().expect("an address");
            std::net::TcpStream::connect(address).expect("somebody listens");
        }
        assert!(
            endpoints["host_key"]
                .as_str()
                .expect("a key")
                .starts_with("ssh-"),
            "{endpoints}"
        );
    }

    pub(crate) fn input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(arguments);
        if self.serving.is_none() {
            command.args(["--now", NOW]);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        // A program that refuses its arguments does not read its input.
        let _ = child.stdin.take().expect("its input").write_all(input);
        child.wait_with_output().expect("it ends")
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.input(arguments, b"")
    }

    /// Runs what has to end with this status; what it printed.
    pub(crate) fn ends(&self, status: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(status),
            "{} {arguments:?}: {}{}",
            self.name,
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    pub(crate) fn json(&self, status: i32, arguments: &[&str]) -> Value {
        let printed = self.ends(status, &[arguments, &["--json"]].concat());
        serde_json::from_str(&printed)
            .unwrap_or_else(|error| panic!("{} {arguments:?}: {error}: {printed}", self.name))
    }

    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<Value> {
        match self.json(0, arguments) {
            Value::Array(rows) => rows,
            other => panic!("{} {arguments:?}: no array: {other}", self.name),
        }
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path.display().to_string()
    }

    fn submit(&self, status: i32, name: &str, content: &str) -> Value {
        let path = self.file(name, content);
        self.json(status, &["submit", &path, "--partner", "quillfeather"])
    }

    pub(crate) fn furnish(&self) {
        self.ends(
            0,
            &["partner", "apply", &self.file("quillfeather.toml", PROFILE)],
        );
        for (list, content) in [
            ("warehouse", WAREHOUSES),
            ("item", ITEMS),
            ("price", PRICES),
            ("stock", STOCK),
        ] {
            let path = self.file(&format!("{list}.csv"), content);
            self.ends(0, &[list, "import", &path]);
        }
        let places = self.file("location.csv", LOCATIONS);
        self.ends(
            0,
            &["location", "import", &places, "--partner", "quillfeather"],
        );
        let added = self.input(
            &[
                "mailbox",
                "add",
                "quill",
                "--partner",
                "quillfeather",
                "--password-stdin",
            ],
            b"a long password\n",
        );
        assert!(added.status.success(), "{}", text(&added.stderr));
    }
}

/// One interchange of the partner's, one group, one set.
pub(crate) fn interchange(functional: &str, number: u32, set: &str, body: &str) -> String {
    from("14", "QUILLF", functional, number, set, body)
}

fn from(qualifier: &str, id: &str, functional: &str, number: u32, set: &str, body: &str) -> String {
    let segments = body.matches('~').count() + 2;
    format!(
        "ISA*00*          *00*          *{qualifier}*{id:<15}*ZZ*HARBORLAMP     *260302*0900*U*00401*{number:09}*0*P*>~\
         GS*{functional}*QUILLGS*HARBORLAMP*20260302*0900*{number}*X*004010~ST*{set}*0001~{body}SE*{segments}*0001~\
         GE*1*{number}~IEA*1*{number:09}~"
    )
}

fn order(number: u32, po: &str, lines: &[(&str, u32, &str)]) -> String {
    let mut body = format!(
        "BEG*00*SA*{po}**20260302~DTM*037*20260301~DTM*001*20260401~N1*ST*QUILLFEATHER ONE*92*S1~"
    );
    for (n, (item, quantity, price)) in lines.iter().enumerate() {
        body.push_str(&format!("PO1*{}*{quantity}*EA*{price}**VN*{item}~", n + 1));
    }
    body.push_str(&format!("CTT*{}~", lines.len()));
    interchange("PO", number, "850", &body)
}

/// The type of a field: fails for the first that is missing or another.
fn has(value: &Value, fields: &[(&str, &str)]) {
    for (field, kind) in fields {
        let found = match &value[*field] {
            Value::Null if value.get(*field).is_none() => "missing",
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let fits = kind.split('|').any(|kind| kind == found);
        assert!(fits, "{field} is {found} and should be {kind}: {value:#}");
    }
}

const DOCUMENT: &[(&str, &str)] = &[
    ("id", "text"),
    ("direction", "text"),
    ("set", "text"),
    ("isa13", "text"),
    ("gs06", "text"),
    ("st02", "text"),
    ("delivery", "text"),
    ("syntax", "text"),
    ("application", "text"),
];
const ORDER: &[(&str, &str)] = &[
    ("order", "text"),
    ("po_number", "text"),
    ("partner", "text"),
    ("mode", "text"),
    ("status", "text"),
    ("received_at", "text"),
    ("lines", "array"),
    ("documents", "array"),
];
const LINE: &[(&str, &str)] = &[
    ("line", "number"),
    ("item", "text"),
    ("ordered", "text"),
    ("unit", "text"),
    ("confirmed", "text"),
    ("shipped", "text"),
    ("invoiced", "text"),
    ("backordered", "text"),
    ("status", "text"),
];
const INVOICE: &[(&str, &str)] = &[
    ("invoice_number", "text"),
    ("kind", "text"),
    ("partner", "text"),
    ("po_numbers", "array"),
    ("status", "text"),
    ("overdue", "true or false"),
    ("total", "text"),
    ("open_amount", "text"),
    ("disputed_amount", "text"),
    ("currency", "text"),
    ("due_date", "text"),
];

fn by<'v>(rows: &'v [Value], field: &str, value: &str) -> &'v Value {
    rows.iter()
        .find(|row| row[field] == value)
        .unwrap_or_else(|| panic!("no {field} {value} in {rows:#?}"))
}

/// Receives, ships and bills one order of ten lamps at 100.00; the number of its invoice.
fn ordered_and_billed(program: &Program, number: u32, po: &str) -> String {
    let submitted = program.submit(
        0,
        &format!("{po}.edi"),
        &order(number, po, &[("LAMP-1", 10, "100")]),
    );
    has(
        &submitted,
        &[
            ("file", "text"),
            ("sha256", "text"),
            ("disposition", "text"),
            ("interchanges", "array"),
        ],
    );
    assert_eq!(submitted["disposition"], "processed");
    let interchange = &submitted["interchanges"][0];
    has(
        interchange,
        &[
            ("isa13", "text"),
            ("mode", "text"),
            ("disposition", "text"),
            ("sets", "array"),
        ],
    );
    assert_eq!(interchange["isa13"], format!("{number:09}"));
    program.ends(0, &["settle", "--timeout", "60"]);
    let listed = program.list(&["order", "list"]);
    let listed = by(&listed, "po_number", po);
    let id = listed["order"].as_str().expect("text");
    let shown = program.json(0, &["order", "show", id]);
    for order in [listed, &shown] {
        has(order, ORDER);
        has(&order["lines"][0], LINE);
        assert_eq!(order["status"], "invoiced", "{order:#}");
        let sets: Vec<&Value> = order["documents"]
            .as_array()
            .expect("an array")
            .iter()
            .map(|document| {
                has(document, DOCUMENT);
                &document["set"]
            })
            .collect();
        assert_eq!(sets, ["850", "997", "855", "856", "810"]);
        for document in order["documents"].as_array().expect("an array") {
            let application = match document["direction"].as_str() {
                Some("in") => "accepted",
                _ => "none",
            };
            assert_eq!(document["application"], application, "{document}");
        }
    }
    let invoices = program.list(&["invoice", "list"]);
    let invoice = invoices
        .iter()
        .find(|invoice| invoice["po_numbers"] == json!([po]))
        .expect("an invoice");
    has(invoice, INVOICE);
    invoice["invoice_number"].as_str().expect("text").to_owned()
}

fn standing(program: &Program, number: &str) -> Value {
    let shown = program.json(0, &["invoice", "show", number]);
    has(&shown, INVOICE);
    json!([
        shown["status"],
        shown["overdue"],
        shown["total"],
        shown["open_amount"],
        shown["disputed_amount"]
    ])
}

/// From three orders to a paid invoice, a short one and one that waits; and what is owed then.
fn money(program: &Program) {
    let paid = ordered_and_billed(program, 1, "Q-1");
    let short = ordered_and_billed(program, 2, "Q-2");
    let by_hand = ordered_and_billed(program, 3, "Q-3");
    assert_eq!(
        standing(program, &paid),
        json!(["open", false, "1000.00", "1000.00", "0.00"])
    );
    // One in full and one short by 100 with its reason.
    let remittance = format!(
        "BPR*C*1900*C*ACH************20260302~TRN*1*QF-PAY-1~ENT*1~RMR*IV*{paid}**1000~\
         RMR*IV*{short}**900*1000~ADX*-100*01~"
    );
    program.submit(0, "820.edi", &interchange("RA", 4, "820", &remittance));
    assert_eq!(
        standing(program, &paid),
        json!(["paid", false, "1000.00", "0.00", "0.00"])
    );
    assert_eq!(
        standing(program, &short),
        json!(["partially_paid", false, "1000.00", "100.00", "100.00"])
    );
    // More money than is applied: the rest stays visible until somebody says what it is for.
    let part = format!("{by_hand}=250.00");
    pays(program, 0, "CHK-7", "400.00", &part);
    assert_eq!(
        standing(program, &by_hand),
        json!(["partially_paid", false, "1000.00", "750.00", "0.00"])
    );
    // The same cheque is booked once.
    pays(program, 1, "CHK-7", "400.00", &part);
    let left = program.list(&["receivables", "unapplied"]).remove(0);
    assert_eq!(left["unapplied_amount"], "150.00");
    let payment = left["payment"].as_str().expect("text");
    let rest = format!("{by_hand}=120");
    let too_much = format!("{by_hand}=150.01");
    program.ends(1, &["receivables", "apply", payment, "--apply", &too_much]);
    let once = [
        "receivables",
        "apply",
        payment,
        "--apply",
        &rest,
        "--left",
        "150",
    ];
    let applied = program.json(0, &once);
    assert_eq!(applied["unapplied_amount"], "30.00");
    program.ends(1, &once);
    let twice = format!("{by_hand}=1");
    program.ends(
        1,
        &["receivables", "apply", payment, "--apply", &twice, &twice],
    );
    assert_eq!(
        standing(program, &by_hand),
        json!(["partially_paid", false, "1000.00", "630.00", "0.00"])
    );
    assert_eq!(
        program.list(&["receivables", "payments"]).len(),
        2,
        "no second payment"
    );
    let aging = program.list(&["receivables", "aging"]).remove(0);
    for field in [
        "partner",
        "currency",
        "current",
        "days_1_30",
        "days_31_60",
        "days_61_90",
        "days_over_90",
        "total",
    ] {
        has(&aging, &[(field, "text")]);
    }
    assert_eq!(
        json!([
            aging["current"],
            aging["total"],
            aging["disputed"],
            aging["credits"],
            aging["balance"]
        ]),
        json!(["730.00", "730.00", "100.00", "-30.00", "700.00"])
    );
    paid_back(program, &short);
    unclear_payments(program, &by_hand);
}

fn pays(program: &Program, status: i32, reference: &str, amount: &str, part: &str) {
    program.ends(
        status,
        &[
            "pay",
            "--partner",
            "quillfeather",
            "--reference",
            reference,
            "--amount",
            amount,
            "--apply",
            part,
        ],
    );
}

/// The buyer pays what it had deducted, in two parts: the deduction is recovered with it.
fn paid_back(program: &Program, short: &str) {
    let deduction = |program: &Program| {
        let row = program.list(&["receivables", "deductions"]).remove(0);
        json!([row["taken_amount"], row["amount"], row["status"]])
    };
    let id = program.list(&["receivables", "deductions"]).remove(0)["deduction"].clone();
    let id = id.as_str().unwrap();
    assert_eq!(deduction(program), json!(["100.00", "100.00", "open"]));
    program.ends(2, &["receivables", "dispute", id]);
    program.ends(1, &["receivables", "dispute", id, "--reason", " "]);
    program.ends(
        1,
        &["receivables", "dispute", "999", "--reason", "delivered"],
    );
    let disputed = program.json(0, &["receivables", "dispute", id, "--reason", "delivered"]);
    assert_eq!(disputed["status"], "disputed");
    program.ends(1, &["receivables", "dispute", id, "--reason", "again"]);
    pays(program, 0, "CHK-8", "60", &format!("{short}=60"));
    assert_eq!(
        standing(program, short),
        json!(["partially_paid", false, "1000.00", "40.00", "40.00"])
    );
    assert_eq!(deduction(program), json!(["100.00", "40.00", "disputed"]));
    pays(program, 0, "CHK-9", "40", &format!("{short}=40"));
    assert_eq!(
        standing(program, short),
        json!(["paid", false, "1000.00", "0.00", "0.00"])
    );
    assert_eq!(deduction(program), json!(["100.00", "40.00", "recovered"]));
    program.ends(1, &["receivables", "write-off", id, "--reason", "late"]);
}

/// What would have to be guessed is refused, and nothing is booked.
fn unclear_payments(program: &Program, invoice: &str) {
    let before = program.list(&["receivables", "payments"]).len();
    pays(program, 1, "CHK-10", "5", "99999=5");
    pays(program, 1, "CHK-10", "5", "=5");
    pays(program, 1, " ", "5", &format!("{invoice}=5"));
    pays(program, 1, "CHK-10", "5", &format!("{invoice}=-5"));
    pays(
        program,
        1,
        "CHK-10",
        "90000000000000000",
        &format!("{invoice}=5"),
    );
    program.ends(
        1,
        &[
            "pay",
            "--partner",
            "quillfeather",
            "--reference",
            "CHK-10",
            "--amount",
            "5",
            "--currency",
            "ZZZ",
        ],
    );
    // The cheque of the 820, entered by hand on another day.
    program.ends(
        1,
        &[
            "pay",
            "--partner",
            "quillfeather",
            "--reference",
            "QF-PAY-1",
            "--amount",
            "1900",
            "--date",
            "2026-03-01",
        ],
    );
    assert_eq!(program.list(&["receivables", "payments"]).len(), before);
}

/// Orders that wait for a person, a shipment that is confirmed, and what is held or rejected.
fn decisions(program: &Program) {
    for (number, po) in [(11, "Q-11"), (12, "Q-12")] {
        program.submit(
            0,
            &format!("{po}.edi"),
            &order(number, po, &[("LAMP-2", 4, "39")]),
        );
    }
    // A test order whose answers would bear the names of those to the real ones.
    let test = order(13, "Q-13", &[("LAMP-2", 1, "40")]).replace("*0*P*>", "*0*T*>");
    program.submit(0, "Q-13.edi", &test);
    program.ends(0, &["settle", "--timeout", "60"]);
    for document in program.list(&["document", "list"]) {
        assert_ne!(document["delivery"], "queued", "{document}");
    }
    let held = program.list(&["order", "list", "--status", "held"]);
    let id = |po: &str| {
        by(&held, "po_number", po)["order"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    program.ends(2, &["order", "release", &id("Q-11")]);
    program.ends(
        0,
        &[
            "order",
            "release",
            &id("Q-11"),
            "--reason",
            "agreed by phone",
        ],
    );
    let rejected = program.json(
        0,
        &["order", "reject", &id("Q-12"), "--reason", "too cheap"],
    );
    assert_eq!(rejected["status"], "rejected");
    program.ends(1, &["order", "reject", &id("Q-12"), "--reason", "again"]);
    program.ends(0, &["settle", "--timeout", "60"]);
    let shipments = program.list(&["shipment", "list", "--status", "planned"]);
    let planned = &shipments[0];
    has(
        planned,
        &[
            ("shipment", "text"),
            ("orders", "array"),
            ("warehouse", "text"),
            ("status", "text"),
            ("cartons", "array"),
            ("carrier", "text"),
            ("tracking", "text"),
        ],
    );
    has(
        &planned["cartons"][0],
        &[("sscc", "text"), ("store", "text"), ("contents", "array")],
    );
    assert_eq!(planned["warehouse"], "HILL");
    let file = program.file("left.json", &planned.to_string());
    let confirmed = program.json(0, &["shipment", "confirm", &file]);
    assert_eq!(confirmed[0]["status"], "shipped", "{confirmed}");
    program.ends(1, &["shipment", "confirm", &file]);
    program.ends(0, &["settle", "--timeout", "60"]);
    assert_eq!(
        program.json(0, &["order", "show", &id("Q-11")])["status"],
        "invoiced"
    );
}

fn refusals(program: &Program) {
    let faulty =
        order(21, "Q-21", &[("LAMP-1", 1, "100")]).replace("DTM*037*20260301", "DTM*037*20260231");
    let refused = program.submit(1, "faulty.edi", &faulty);
    assert_eq!(refused["disposition"], "rejected");
    let rejected = program
        .list(&["document", "list", "--disposition", "rejected"])
        .remove(0);
    has(&rejected, DOCUMENT);
    has(
        &rejected,
        &[
            ("partner", "text"),
            ("disposition", "text"),
            ("findings", "array"),
        ],
    );
    has(
        &rejected["findings"][0],
        &[
            ("code", "text"),
            ("message", "text"),
            ("byte", "number"),
            ("segment", "text"),
            ("element", "number"),
        ],
    );
    let id = rejected["id"].as_str().expect("text");
    assert_eq!(program.json(0, &["document", "show", id])["id"], id);
    assert!(
        program
            .ends(0, &["document", "raw", id])
            .starts_with("ST*850*0001~")
    );
    program.ends(1, &["document", "replay", id]);
    assert_eq!(
        program.submit(1, "again.edi", &faulty)["disposition"],
        "duplicate"
    );
    // An alert shows its whole reason.
    let alerts = program.ends(0, &["alert", "list"]);
    let words: Vec<&str> = alerts.split_whitespace().collect();
    assert!(words.join(" ").contains("should send it again"), "{alerts}");

    // An unknown sender: held as a whole, read again under a new number once its address is known.
    let unknown = from(
        "14",
        "QUILLNEW",
        "PO",
        31,
        "850",
        "BEG*00*SA*Q-31**20260302~N1*ST*QUILLFEATHER ONE*92*S1~PO1*1*1*EA*100**VN*LAMP-1~CTT*1~",
    );
    let path = program.file("unknown.edi", &unknown);
    let held = program.json(1, &["submit", &path]);
    assert_eq!(held["disposition"], "held");
    let id = program.list(&["document", "list", "--disposition", "held"])[0]["id"]
        .as_str()
        .expect("text")
        .to_owned();
    let still = program.json(1, &["document", "replay", &id]);
    assert_eq!(
        json!([still["disposition"], still["replayed"]]),
        json!(["held", id])
    );
    let id = still["id"].as_str().expect("text").to_owned();
    let known = PROFILE.replace(
        "[envelope]",
        "[[address]]\nqualifier = \"14\"\nid = \"QUILLNEW\"\ngs_id = \"QUILLGS\"\n\n[envelope]",
    );
    program.ends(
        0,
        &[
            "partner",
            "apply",
            &program.file("quillfeather.toml", &known),
        ],
    );
    let told = program.ends(0, &["document", "replay", &id]);
    assert!(
        told.contains("held as a whole")
            && told.contains(&format!("what was document {id} is document "))
            && told.contains("processed (order "),
        "{told}"
    );
    program.ends(1, &["document", "show", &id]);
    // What the partner refuses goes out again under new numbers; the same bytes are delivered again.
    program.ends(0, &["settle", "--timeout", "60"]);
    let orders = program.list(&["order", "list"]);
    let order = by(&orders, "po_number", "Q-31");
    let response = by(
        order["documents"].as_array().expect("an array"),
        "set",
        "855",
    )
    .clone();
    let number = response["id"].as_str().expect("text");
    program.ends(1, &["document", "resend", number]);
    program.ends(0, &["document", "redeliver", number]);
    let gs06 = response["gs06"].as_str().expect("text");
    let body = format!("AK1*PR*{gs06}~AK9*R*1*1*0~");
    let answer = from("14", "QUILLNEW", "FA", 32, "997", &body);
    let path = program.file("997.edi", &answer);
    program.json(0, &["submit", &path]);
    let sent = program.json(0, &["document", "resend", number]);
    assert_eq!(
        json!([sent["set"], sent["replaces"]]),
        json!(["855", number])
    );
    assert_eq!(
        program.json(0, &["document", "show", number])["delivery"],
        "superseded"
    );
    program.ends(1, &["document", "dismiss", number, "--reason", "not held"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_told_to_the_letter() {
    for program in Program::each().await {
        program.furnish();
        money(&program);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_decides_is_done_once() {
    for program in Program::each().await {
        program.furnish();
        decisions(&program);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_says_so_and_goes_on_when_it_is_mended() {
    for program in Program::each().await {
        program.furnish();
        refusals(&program);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_refused_with_every_fault_of_form_and_of_name() {
    for program in Program::each().await {
        program.furnish();
        let stock = program.file(
            "faulty.csv",
            "warehouse,item,quantity\nPORT,LAMP-9,5\nMOON,LAMP-1,5\nMARS,LAMP-8,many\nPORT,LAMP-1,7\n",
        );
        let output = program.run(&["stock", "import", &stock]);
        assert_eq!(output.status.code(), Some(1));
        let told = text(&output.stderr);
        for fault in [
            "line 2, item: there is no item \"LAMP-9\"",
            "line 3, warehouse: there is no warehouse \"MOON\"",
            "line 4, warehouse: there is no warehouse \"MARS\"",
            "line 4, item: there is no item \"LAMP-8\"",
            "line 4, quantity: \"MANY\" is no number",
        ] {
            assert!(
                told.to_lowercase().contains(&fault.to_lowercase()),
                "{}: {fault} not in\n{told}",
                program.name
            );
        }
        let prices = program.file(
            "prices.csv",
            "item,partner,price,unit\nLAMP-7,nobody,1,\nLAMP-1,quillfeather,x,\nLAMP-1,,90,PL\n",
        );
        let output = program.run(&["price", "import", &prices]);
        let told = text(&output.stderr);
        for fault in [
            "line 2, item",
            "line 2, partner: there is no partner \"nobody\"",
            "line 3, price",
            "line 4, unit: item LAMP-1 is not known in PL, only in EA",
            "import the item with what one PL holds",
        ] {
            assert!(
                told.contains(fault),
                "{}: {fault} not in\n{told}",
                program.name
            );
        }
        let one = program.file("one.csv", "item,price,unit\nLAMP-1,90,EA\n");
        let output = program.run(&["price", "import", &one]);
        let told = text(&output.stdout);
        assert!(told.starts_with("1 row loaded"), "{}: {told}", program.name);
        let stock = program.list(&["stock", "list"]);
        assert_eq!(
            by(&stock, "item", "LAMP-1")["on_hand"],
            "100",
            "nothing was loaded"
        );
    }
}

/// What people read of lists and orders: nothing is left out that the JSON has, and what is empty is named.
#[test]
fn what_waits_and_what_is_empty_is_told_in_words() {
    let program = Program::over(None, "SQLite".to_owned());
    program.furnish();
    assert_eq!(
        program.ends(0, &["receivables", "unapplied"]),
        "No payments with unapplied cash.\n"
    );
    let places = program.file(
        "places.csv",
        "number,name,street,city,state,zip\nS2,\u{5317}\u{4eac},1 Way,X,NY,12180\nS3,THREE,1 Way,Troy,New York,12\nS4,Caf\u{e9},1 Way,Troy,NY,12180\n",
    );
    let import = ["location", "import", &places, "--partner", "quillfeather"];
    let refused = program.run(&import);
    assert_eq!(refused.status.code(), Some(1));
    let told = text(&refused.stderr);
    for words in [
        "nothing was loaded",
        "line 2, name: \"\u{5317}\u{4eac}\" holds '\u{5317}', which can not be sent in X12",
        "line 2, city: \"X\" is too short",
        "line 3, state: \"New York\" is no code",
        "line 3, zip: \"12\" is no postal code",
    ] {
        assert!(told.contains(words), "{words} not in {told}");
    }
    assert!(!told.contains("line 4"), "{told}");
    assert_eq!(program.list(&["location", "list"]).len(), 1);

    // The 850 gives the ship-to by its name and number; street and city are in the list.
    program.submit(0, "1.edi", &order(1, "W-1", &[("LAMP-1", 5, "100")]));
    let sent = program.list(&["document", "list", "--set", "810"]);
    let bill = program.ends(
        0,
        &["document", "raw", sent[0]["id"].as_str().expect("text")],
    );
    assert!(
        bill.contains("N1|ST|QUILLFEATHER ONE|92|S1\nN3|2 Ink Street\nN4|Troy|NY|12180\n"),
        "{bill}"
    );

    let profile = format!("{PROFILE}\n[allocation]\nship_complete = true\n");
    let profile = program.file("complete.toml", &profile);
    program.ends(0, &["partner", "apply", &profile]);
    let receipt = program.file(
        "receipt.csv",
        "warehouse,item,quantity,expected_on\nHILL,LAMP-2,5,2026-03-09\n",
    );
    program.ends(0, &["stock", "import", &receipt]);
    program.submit(0, "2.edi", &order(2, "W-2", &[("LAMP-2", 10, "40")]));
    let waits = program.list(&["order", "list", "--po", "W-2"]).remove(0);
    assert_eq!(waits["lines"][0]["set_aside"], "8");
    assert_eq!(waits["lines"][0]["backorder_date"], "2026-03-09");
    let shown = program.ends(
        0,
        &["order", "show", waits["order"].as_str().expect("text")],
    );
    assert!(
        shown.contains("backordered, 8 set aside, expected 2026-03-09"),
        "{shown}"
    );
    let stock = program.ends(0, &["stock", "list", "--item", "LAMP-2"]);
    assert!(
        stock.contains("EXPECTED, NOT PROMISED") && stock.contains("3 on 2026-03-09"),
        "{stock}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_trades_under_the_specimens_name_unwarned() {
    let mut program = Program::each().await.remove(0);
    program.name = "specimen".to_owned();
    let settings = program.data().join("supercargo.toml");
    let profile = program.file("quillfeather.toml", PROFILE);
    let named = text(&program.run(&["partner", "apply", &profile]).stderr);
    assert!(!named.contains("warning"), "{named}");
    std::fs::write(&settings, "[[company]]\nname = \"Half Named\"\n").expect("written");
    let half = text(&program.run(&["partner", "apply", &profile]).stderr);
    assert!(
        half.contains("warning") && half.contains("1 Harbor Street") && half.contains("0614141"),
        "{half}"
    );
    assert!(!half.contains("the name"), "{half}");
    std::fs::remove_file(&settings).expect("removed");
    let nobody = text(&program.run(&["partner", "apply", &profile]).stderr);
    assert!(nobody.contains("Supercargo Supply Company"), "{nobody}");
    let checks = program.json(1, &["doctor"]);
    let checks = checks.as_array().expect("an array");
    assert_eq!(by(checks, "check", "company")["sound"], false);
}

#[test]
fn a_reader_that_goes_away_ends_every_command_quietly() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let items: String = std::iter::once("code,description\n".to_owned())
        .chain((0..20_000).map(|n| format!("ITEM-{n},AN ITEM WITH A DESCRIPTION\n")))
        .collect();
    let path = folder.path().join("items.csv");
    std::fs::write(&path, items).expect("written");
    for arguments in [
        vec!["item", "import", path.to_str().expect("text")],
        vec!["item", "list", "--all"],
        vec!["item", "list", "--all", "--json"],
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_supercargo"))
            .args(&arguments)
            .arg("--data")
            .arg(&data)
            .env_remove("DATABASE_URL")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(
            (
                output.status.code(),
                text(&output.stderr).contains("panicked")
            ),
            (Some(0), false),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_one_gateway_and_a_killed_one_leaves_nothing_behind() {
    for mut program in Program::each().await {
        if program.serving.is_none() {
            continue;
        }
        let second = program
            .command(&["serve", "--sftp", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .output()
            .expect("it ends");
        assert_eq!(second.status.code(), Some(2), "{}", program.name);
        assert!(
            text(&second.stderr).contains("serves") && text(&second.stderr).contains("--data"),
            "{}",
            text(&second.stderr)
        );
        let says = |program: &Program| {
            // Its status is about all checks together.
            let printed = program.run(&["doctor", "--json"]).stdout;
            let checks: Vec<Value> = serde_json::from_slice(&printed).expect("an array");
            by(&checks, "check", "serve")["says"]
                .as_str()
                .expect("text")
                .to_owned()
        };
        assert!(
            says(&program).contains("console http://"),
            "{}",
            program.name
        );
        let mut serving = program.serving.take().expect("it serves");
        serving.kill().expect("it runs");
        serving.wait().expect("it ends");
        assert!(
            says(&program).contains("no gateway serves"),
            "{}",
            program.name
        );
        // The folder is free again; where the killed one was is of no use to wait for.
        std::fs::remove_file(program.data().join("endpoints.json")).expect("it is there");
        program.serve();
    }
}
