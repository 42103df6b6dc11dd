//! The program's own settings: one TOML document, `--config FILE`. Every key has a default, so that no file is needed.

use std::fmt;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::reading::{self, Fault, Places};
use super::roles::{self, Role};
use super::secret::SecretSource;
use crate::domain::money::Currency;

/// Everything the program itself can be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Our company; none written: one with defaults. A list, because several will share a gateway one day; until then
    /// a second one is refused.
    pub company: Vec<Company>,
    /// What this gateway does of the whole.
    pub node: Node,
    /// Where the rows are.
    pub database: Database,
    /// Where large received files are, if not in the database.
    pub objects: Objects,
    /// The embedded SFTP server.
    pub sftp: SftpServer,
    /// The console.
    pub http: HttpServer,
    /// Mail to ops.
    pub mail: Mail,
    /// How often and how wide the steps run.
    pub work: Work,
    /// Bounds on everything that comes from outside.
    pub limits: Limits,
    /// The data folder (`--data DIR`); no key of the document.
    #[serde(skip)]
    pub data: PathBuf,
}

/// The data folder where none is named.
pub const DATA_FOLDER: &str = "./data";

impl Default for Settings {
    fn default() -> Self {
        Self {
            company: vec![Company::default()],
            node: Node::default(),
            database: Database::default(),
            objects: Objects::default(),
            sftp: SftpServer::default(),
            http: HttpServer::default(),
            mail: Mail::default(),
            work: Work::default(),
            limits: Limits::default(),
            data: PathBuf::from(DATA_FOLDER),
        }
    }
}

/// One of our own companies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Company {
    /// Short unique name, `[a-z0-9-]`.
    pub code: String,
    /// Name on documents.
    pub name: String,
    /// Qualifier of our EDI address (ISA05, ISA07).
    pub qualifier: String,
    /// Our EDI id (ISA06, ISA08), where a profile gives no other.
    pub id: String,
    /// Our group id (GS02, GS03); empty: as `id`.
    pub gs_id: String,
    /// GS1 company prefix, 7 to 10 digits: the SSCC-18 of cartons begin with it.
    pub gs1_prefix: String,
    /// Extension digit in front of the prefix in an SSCC-18, 0 to 9.
    pub sscc_extension: u8,
    /// Where customers pay to (N1 RE), street.
    pub street: String,
    /// City.
    pub city: String,
    /// State or province.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// Country, two letters.
    pub country: String,
    /// D-U-N-S number or GLN for N1 RE; empty: none.
    pub party_id: String,
    /// Qualifier of `party_id`: 1 D-U-N-S, 9 D-U-N-S+4, UL GLN, 91 our own.
    pub party_id_qualifier: String,
    /// Currency of the books.
    pub currency: Currency,
    /// Time zone by its IANA name; invoice dates and due dates are reckoned in it.
    pub time_zone: Tz,
    /// First number of invoices.
    pub invoice_start: u64,
}

impl Company {
    /// Keys that still hold the example's name, address and GS1 prefix, which are nobody's.
    pub fn specimen_keys(&self) -> Vec<&'static str> {
        let specimen = Self::default();
        [
            ("name", &self.name, &specimen.name),
            ("street", &self.street, &specimen.street),
            ("gs1_prefix", &self.gs1_prefix, &specimen.gs1_prefix),
        ]
        .into_iter()
        .filter(|(_, ours, example)| ours == example)
        .map(|(key, _, _)| key)
        .collect()
    }
}

impl Default for Company {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            code: text("main"),
            name: text("Supercargo Supply Company"),
            qualifier: text("ZZ"),
            id: text("SUPERCARGO"),
            gs_id: String::new(),
            gs1_prefix: text("0614141"),
            sscc_extension: 0,
            street: text("1 Harbor Street"),
            city: text("Baltimore"),
            state: text("MD"),
            postal_code: text("21201"),
            country: text("US"),
            party_id: String::new(),
            party_id_qualifier: String::new(),
            currency: Currency::USD,
            time_zone: Tz::America__New_York,
            invoice_start: 10001,
        }
    }
}

/// What this gateway does of the whole, where several share a PostgreSQL database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Node {
    /// Its roles, each at most once, in any order; `serve --roles` wins over them.
    pub roles: Vec<Role>,
}

impl Node {
    /// Whether it has a role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

impl Default for Node {
    fn default() -> Self {
        Self {
            roles: Role::ALL.to_vec(),
        }
    }
}

/// Where the rows are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://…` without a password, or empty: SQLite in the data folder. `DATABASE_URL` wins over it.
    pub url: String,
    /// Environment variable with the whole URL, where it holds a password.
    pub url_env: String,
    /// Most connections to PostgreSQL, at least 2; 0: 16.
    pub connections_max: u32,
}

/// An S3-compatible store for large received files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objects {
    /// The bucket; empty: all bytes are kept in the database.
    pub bucket: String,
    /// `http://…` or `https://…` of the store; empty: AWS.
    pub endpoint: String,
    /// Region that requests are signed for.
    pub region: String,
    /// In front of every key, without a slash at its ends; empty: nothing.
    pub prefix: String,
    /// Whether the bucket stands in the host's name rather than in the path.
    pub virtual_hosted: bool,
    /// Received files with more bytes than this go there.
    pub above_bytes: u64,
    /// File with the certificate authority of the store (PEM), where it is not one the system trusts.
    pub ca_file: String,
    /// Environment variable with the access key's id.
    pub access_key_env: String,
    /// File with it, relative to the data folder.
    pub access_key_file: String,
    /// Environment variable with the secret of the access key.
    pub secret_key_env: String,
    /// File with it, relative to the data folder.
    pub secret_key_file: String,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            endpoint: String::new(),
            region: "us-east-1".to_owned(),
            prefix: String::new(),
            virtual_hosted: false,
            above_bytes: 262_144,
            ca_file: String::new(),
            access_key_env: String::new(),
            access_key_file: String::new(),
            secret_key_env: String::new(),
            secret_key_file: String::new(),
        }
    }
}

impl Objects {
    /// Where the access key's id comes from; none, with no secret either: from AWS's own variables, or the machine's role.
    pub fn access_key(&self) -> Option<SecretSource<'_>> {
        secret_source(&self.access_key_env, &self.access_key_file)
    }

    /// Where the secret of the access key comes from.
    pub fn secret_key(&self) -> Option<SecretSource<'_>> {
        secret_source(&self.secret_key_env, &self.secret_key_file)
    }
}

fn secret_source<'a>(variable: &'a str, file: &'a str) -> Option<SecretSource<'a>> {
    match (variable.is_empty(), file.is_empty()) {
        (false, _) => Some(SecretSource::Environment(variable)),
        (true, false) => Some(SecretSource::File(file)),
        (true, true) => None,
    }
}

/// The embedded SFTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SftpServer {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// Whether it runs at all.
    pub enabled: bool,
    /// Most connections at once.
    pub connections_max: u32,
    /// Most connections at once of one mailbox.
    pub connections_per_mailbox_max: u32,
    /// Seconds after which an idle connection is closed.
    pub idle_seconds: u32,
}

impl Default for SftpServer {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:2022".to_owned(),
            enabled: true,
            connections_max: 200,
            connections_per_mailbox_max: 10,
            idle_seconds: 600,
        }
    }
}

/// The console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpServer {
    /// Address and port; port 0 takes a free one.
    pub listen: String,
    /// Whether it runs at all.
    pub enabled: bool,
    /// Address under which people reach it, for links in mails; empty: `http://` and `listen`.
    pub public_url: String,
    /// Hours after which a login ends.
    pub session_hours: u32,
}

impl Default for HttpServer {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            enabled: true,
            public_url: String::new(),
            session_hours: 12,
        }
    }
}

/// Mail to ops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mail {
    /// SMTP server; empty: no mail is sent, notices are shown in the console only.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Encryption.
    pub tls: MailTls,
    /// File with the certificate authority of the server (PEM), where it is not one the system trusts.
    pub ca_file: String,
    /// User; empty: no login.
    pub user: String,
    /// Environment variable with the password.
    pub password_env: String,
    /// File with the password, relative to the data folder.
    pub password_file: String,
    /// Sender.
    pub from: String,
    /// Who hears of rejected and held documents, where the partner's profile names nobody.
    pub ops: Vec<String>,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            tls: MailTls::StartTls,
            ca_file: String::new(),
            user: String::new(),
            password_env: String::new(),
            password_file: String::new(),
            from: "supercargo@localhost".to_owned(),
            ops: Vec::new(),
        }
    }
}

impl Mail {
    /// Where the password comes from, where one is used.
    pub fn password(&self) -> Option<SecretSource<'_>> {
        secret_source(&self.password_env, &self.password_file)
    }
}

/// Encryption of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// Plain connection that is upgraded; required, not tried.
    #[default]
    #[serde(rename = "starttls")]
    StartTls,
    /// Encrypted from the first byte (port 465).
    Tls,
    /// None: for a server on the same machine only.
    None,
}

/// How often and how wide the steps run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Work {
    /// Milliseconds between two looks for work that nobody announced.
    pub poll_milliseconds: u32,
    /// Pieces of work that a step takes in one transaction.
    pub batch: u32,
    /// Workers of this node over PostgreSQL, beside the one that reads received files; 0: one for each of its cores, four at
    /// most. Over SQLite there is one, for it writes one transaction at a time.
    pub workers: u32,
    /// Seconds until work that a gateway has begun and not ended may be taken over by another, or by a command.
    pub lease_seconds: u32,
    /// Seconds between two looks at what is overdue (acknowledgments, pick-ups, deadlines), and between two seals.
    pub clocks_seconds: u32,
    /// Hours after which ops are told of a file in a mailbox that nobody fetched; 0: never. A partner's profile may say
    /// otherwise (`connection.mailbox.pickup_hours`).
    pub pickup_hours: u32,
    /// Seconds between two looks into watched folders.
    pub folder_seconds: u32,
    /// Seconds that running steps get to end when the gateway stops.
    pub shutdown_seconds: u32,
}

impl Default for Work {
    fn default() -> Self {
        Self {
            poll_milliseconds: 500,
            batch: 200,
            workers: 0,
            lease_seconds: 120,
            clocks_seconds: 60,
            pickup_hours: 24,
            folder_seconds: 2,
            shutdown_seconds: 20,
        }
    }
}

/// Bounds on what comes from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest file that is taken in, bytes.
    pub file_bytes_max: u64,
    /// Largest transaction set, bytes.
    pub set_bytes_max: u64,
    /// Largest segment, bytes.
    pub segment_bytes_max: u64,
    /// Largest binary element of a BIN or BDS segment, bytes.
    pub binary_bytes_max: u64,
    /// Most elements of one segment.
    pub elements_max: u32,
    /// Most levels of HL below one another.
    pub hierarchy_levels_max: u32,
    /// Most lines of one order; one with more is held.
    pub order_lines_max: u32,
    /// Most findings kept for one document, group or interchange; that there are more is the last of them.
    pub findings_max: u32,
    /// Most files that one mailbox may hold in its inbound before they are taken in.
    pub mailbox_files_max: u32,
    /// Most files per minute of one mailbox.
    pub files_per_minute_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes_max: 2 << 30,
            set_bytes_max: 64 << 20,
            segment_bytes_max: 1 << 20,
            binary_bytes_max: 16 << 20,
            elements_max: 1_000,
            hierarchy_levels_max: 64,
            order_lines_max: 20_000,
            findings_max: 1_000,
            mailbox_files_max: 10_000,
            files_per_minute_max: 6_000,
        }
    }
}

impl Limits {
    /// The bounds on reading and judging X12; past each there is a finding.
    pub fn of_x12(&self) -> supercargo_x12::Limits {
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        supercargo_x12::Limits {
            segment_bytes: bytes(self.segment_bytes_max),
            binary_bytes: bytes(self.binary_bytes_max),
            elements: count(self.elements_max),
            set_bytes: bytes(self.set_bytes_max),
            findings: count(self.findings_max),
            envelope_findings: count(self.findings_max),
            depth: count(self.hierarchy_levels_max),
        }
    }
}

/// Why settings were not taken.
#[derive(Debug)]
pub enum SettingsRefusal {
    /// The file can not be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// It has faults.
    Faults {
        /// The file, where it came from one.
        path: Option<PathBuf>,
        /// In order of line, at least one.
        faults: Vec<Fault>,
    },
}

impl fmt::Display for SettingsRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, cause } => write!(
                f,
                "the settings in {} can not be read: {cause}; {}",
                path.display(),
                match cause.kind() {
                    std::io::ErrorKind::PermissionDenied => {
                        "let the user who runs this read them, or run it as the user who serves"
                    }
                    std::io::ErrorKind::InvalidData => "write them as TOML, in UTF-8",
                    _ => "check the name after --config",
                }
            ),
            Self::Faults { path, faults } => {
                let name = path.as_ref().map_or_else(
                    || "the settings".to_owned(),
                    |path| path.display().to_string(),
                );
                write!(f, "{name}: nothing was started, for there are faults:")?;
                for fault in faults {
                    write!(f, "\n  {fault}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for SettingsRefusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { cause, .. } => Some(cause),
            Self::Faults { .. } => None,
        }
    }
}

impl Settings {
    /// Reads and checks a settings document.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse(text: &str) -> Result<Self, SettingsRefusal> {
        let reading = reading::read::<Self>(text);
        let mut faults = reading.faults;
        if let Some(settings) = &reading.value {
            reading::add_unless_known(&mut faults, check(settings, &reading.places));
        }
        match reading.value {
            Some(settings) if faults.is_empty() => Ok(settings),
            _ => Err(SettingsRefusal::Faults { path: None, faults }),
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// Where it can not be read, or has faults.
    pub fn load(path: &Path) -> Result<Self, SettingsRefusal> {
        let text = std::fs::read_to_string(path).map_err(|cause| SettingsRefusal::Unreadable {
            path: path.to_owned(),
            cause,
        })?;
        Self::parse(&text).map_err(|refusal| match refusal {
            SettingsRefusal::Faults { faults, .. } => SettingsRefusal::Faults {
                path: Some(path.to_owned()),
                faults,
            },
            other => other,
        })
    }

    /// A file or folder named in settings or in a profile: relative names are taken against the data folder.
    pub fn data_path(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    /// The folder against which names of keys are taken: the data folder.
    pub fn key_folder(&self) -> PathBuf {
        self.data.clone()
    }

    /// Our company.
    pub fn our_company(&self) -> Option<&Company> {
        self.company.first()
    }
}

/// Checks what no single key can tell.
fn check(settings: &Settings, places: &Places) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |key: String, what: String, instead: &str| {
        faults.push(Fault {
            line: places.line(&key),
            key,
            what,
            instead: instead.to_owned(),
        });
    };
    if settings.company.is_empty() {
        fault(
            "company".to_owned(),
            "there is no company of ours".to_owned(),
            "Add a [[company]] table, or take the empty list out",
        );
    }
    for (index, company) in settings.company.iter().enumerate() {
        let key = |name: &str| format!("company[{}].{name}", index + 1);
        if !reading::is_short_name(&company.code) {
            fault(
                key("code"),
                format!("{:?} is no short name", company.code),
                "Write small letters, digits and hyphens, 2 to 32 of them",
            );
        }
        if index > 0 {
            fault(
                format!("company[{}]", index + 1),
                "the gateway serves one company".to_owned(),
                "Take the second [[company]] out, and run another gateway for it",
            );
        }
        if !(7..=10).contains(&company.gs1_prefix.len())
            || !company.gs1_prefix.bytes().all(|byte| byte.is_ascii_digit())
        {
            fault(
                key("gs1_prefix"),
                format!("{:?} is no GS1 company prefix", company.gs1_prefix),
                "Write the 7 to 10 digits that GS1 gave you",
            );
        }
        if company.sscc_extension > 9 {
            fault(
                key("sscc_extension"),
                format!("{} has more than one digit", company.sscc_extension),
                "Write 0 to 9",
            );
        }
        if company.id.is_empty() || company.id.len() > 15 {
            fault(
                key("id"),
                format!("{:?} is no EDI id", company.id),
                "Write 1 to 15 characters",
            );
        }
        if company.name.is_empty() || company.name.len() > 60 {
            fault(
                key("name"),
                "the name on documents has 1 to 60 characters".to_owned(),
                "Write the company's name",
            );
        }
    }
    if let Some(found) = roles::fault(&settings.node.roles) {
        fault("node.roles".to_owned(), found.what, &found.instead);
    }
    for (key, listen) in [
        ("sftp.listen", &settings.sftp.listen),
        ("http.listen", &settings.http.listen),
    ] {
        if listen.parse::<std::net::SocketAddr>().is_err() {
            fault(
                key.to_owned(),
                format!("{listen:?} is no address to listen on"),
                "Write an IP address and a port, such as \"127.0.0.1:2022\" or \"[::]:2022\"; port 0 takes a free one",
            );
        }
    }
    let (work, limits) = (&settings.work, &settings.limits);
    for (key, number, least) in [
        ("work.batch", u64::from(work.batch), 1),
        ("work.lease_seconds", u64::from(work.lease_seconds), 2),
        ("limits.file_bytes_max", limits.file_bytes_max, 1),
        ("limits.set_bytes_max", limits.set_bytes_max, 1_024),
        ("limits.segment_bytes_max", limits.segment_bytes_max, 256),
        (
            "limits.order_lines_max",
            u64::from(limits.order_lines_max),
            1,
        ),
        ("limits.findings_max", u64::from(limits.findings_max), 1),
    ] {
        if number < least {
            fault(
                key.to_owned(),
                format!("{number} is too little"),
                &format!("Write {least} or more, or leave the key out for the default"),
            );
        }
    }
    check_objects(&settings.objects, &mut fault);
    check_secrets(settings, &mut fault);
    faults
}

fn check_objects(objects: &Objects, fault: &mut impl FnMut(String, String, &str)) {
    let (endpoint, prefix) = (&objects.endpoint, &objects.prefix);
    if !endpoint.is_empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://")
    {
        fault(
            "objects.endpoint".to_owned(),
            format!("{endpoint:?} is no address of an object store"),
            "Write https://host or http://host:port, or leave it out for AWS",
        );
    }
    let sound = |part: &str| {
        !part.is_empty()
            && !part.bytes().all(|byte| byte == b'.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    if !prefix.is_empty() && !prefix.split('/').all(sound) {
        fault(
            "objects.prefix".to_owned(),
            format!("{prefix:?} can not stand in front of keys"),
            "Write letters, digits, hyphens, dots, underscores, with a slash between parts and none at the ends",
        );
    }
    if objects.access_key().is_some() != objects.secret_key().is_some() {
        fault(
            "objects.bucket".to_owned(),
            "there is one half of an access key".to_owned(),
            "Name both, access_key_env or access_key_file and secret_key_env or secret_key_file, or neither",
        );
    }
}

/// Who and where of a URL, `user:password@host:port`; empty where it has none.
pub fn authority(url: &str) -> &str {
    url.split_once("://").map_or("", |(_, rest)| {
        rest.split(['/', '?']).next().unwrap_or_default()
    })
}

fn check_secrets(settings: &Settings, fault: &mut impl FnMut(String, String, &str)) {
    let url = &settings.database.url;
    if authority(url)
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
    {
        fault(
            "database.url".to_owned(),
            "the URL holds a password, and secrets do not stand in this file".to_owned(),
            "Write url_env = \"SUPERCARGO_DATABASE_URL\" and set that variable",
        );
    }
    if !url.is_empty() && !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        fault(
            "database.url".to_owned(),
            format!("{url:?} is no database this program knows"),
            "Write postgres://user@host/database, or leave it out for SQLite in the data folder",
        );
    }
    let mail = &settings.mail;
    if !mail.user.is_empty() && mail.password().is_none() {
        fault(
            "mail.user".to_owned(),
            "there is a user and no password".to_owned(),
            "Add password_env or password_file",
        );
    }
    for (index, address) in mail.ops.iter().enumerate() {
        if !reading::is_mail_address(address) {
            fault(
                format!("mail.ops[{}]", index + 1),
                format!("{address:?} is no mail address"),
                "Write name@domain",
            );
        }
    }
    if !reading::is_mail_address(&mail.from) {
        fault(
            "mail.from".to_owned(),
            format!("{:?} is no mail address", mail.from),
            "Write name@domain",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_needed() {
        let settings = Settings::parse("").unwrap();
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.our_company().unwrap().code, "main");
    }

    #[test]
    fn what_was_written_is_read_again() {
        let text = toml::to_string(&Settings::default()).unwrap();
        assert_eq!(Settings::parse(&text).unwrap(), Settings::default());
    }

    #[test]
    fn the_file_in_config_writes_every_key_with_its_default() {
        let text = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/config/supercargo.toml"
        ));
        assert_eq!(Settings::parse(text).unwrap(), Settings::default());
        let written = reading::read::<toml::Table>(text).places;
        let keys = toml::Value::try_from(Settings::default()).unwrap();
        for (table, values) in keys.as_table().unwrap() {
            let values = match values {
                toml::Value::Array(items) => &items[0],
                other => other,
            };
            let path = if table == "company" {
                "company[1]"
            } else {
                table
            };
            for key in values.as_table().unwrap().keys() {
                assert!(written.has(&format!("{path}.{key}")), "{path}.{key}");
            }
        }
    }

    #[test]
    fn faults_are_told_all_at_once() {
        let refusal = Settings::parse(
            "[[company]]\ncode = \"A B\"\ngs1_prefix = \"12\"\n[sftp]\nlisten = \"here\"\n[mail]\npassword = \"x\"\nops = [\"nobody\"]\n[database]\nurl = \"postgres://u:p@h/d\"\n[node]\nroles = [\"mailbox\", \"worker\", \"mailbox\"]\n",
        )
        .unwrap_err()
        .to_string();
        for words in [
            "line 2, company[1].code",
            "line 3, company[1].gs1_prefix",
            "line 5, sftp.listen",
            "line 7, mail.password: secrets",
            "line 8, mail.ops[1]",
            "line 10, database.url",
            "line 12, node.roles[2]: \"worker\" is not one of the words this key takes. Did you mean `workers`?",
        ] {
            assert!(refusal.contains(words), "{words} not in\n{refusal}");
        }
        for (roles, says) in [
            (
                "[]",
                "line 2, node.roles: a gateway without a role does nothing",
            ),
            (
                "[\"console\", \"console\"]",
                "line 2, node.roles: the role console is named twice",
            ),
        ] {
            let refusal = Settings::parse(&format!("[node]\nroles = {roles}\n"))
                .unwrap_err()
                .to_string();
            assert!(refusal.contains(says), "{says} not in\n{refusal}");
        }
    }
}
