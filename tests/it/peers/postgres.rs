//! One fresh PostgreSQL database per test, in the cluster whose superuser URL stands in `SUPERCARGO_TEST_POSTGRES`.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A database that exists as long as this value does.
pub struct FreshDatabase {
    /// Connects to the database as superuser.
    pub url: String,
    name: String,
    cluster: String,
}

/// Makes an empty database. `None`, after a printed word, where no cluster was given: the test should return.
///
/// # Panics
/// When a cluster was given and does not do as asked.
pub async fn fresh_database() -> Option<FreshDatabase> {
    let Ok(cluster) = std::env::var("SUPERCARGO_TEST_POSTGRES") else {
        super::left_out(
            &super::test_name(),
            "needs PostgreSQL: SUPERCARGO_TEST_POSTGRES is not set; tests/run sets it",
        );
        return None;
    };
    let name = format!("supercargo_test_{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(&cluster)
        .await
        .expect("the cluster of SUPERCARGO_TEST_POSTGRES answers");
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("a superuser may create a database");
    connection.close().await.expect("the connection closes");
    Some(FreshDatabase {
        url: with_database(&cluster, &name),
        name,
        cluster,
    })
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        let (cluster, name) = (self.cluster.clone(), self.name.clone());
        // Its own thread, because a test's runtime cannot wait inside a drop. A database that stays behind does no
        // harm: the cluster is thrown away.
        let dropping = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            else {
                return;
            };
            runtime.block_on(async {
                if let Ok(mut connection) = PgConnection::connect(&cluster).await {
                    let drop_it =
                        AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
                    let _ = sqlx::query(drop_it).execute(&mut connection).await;
                }
            });
        });
        let _ = dropping.join();
    }
}

/// The cluster's URL with another database in it: what stands between the last `/` before any `?` and that `?`.
fn with_database(cluster: &str, database: &str) -> String {
    let (address, options) = match cluster.split_once('?') {
        Some((address, options)) => (address, format!("?{options}")),
        None => (cluster, String::new()),
    };
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..]
        .find('/')
        .map_or(address.len(), |at| authority + at);
    format!("{}/{database}{options}", &address[..end])
}

#[test]
fn the_database_of_a_url_is_replaced() {
    for (cluster, expected) in [
        (
            "postgres://postgres@127.0.0.1:5000/postgres",
            "postgres://postgres@127.0.0.1:5000/t",
        ),
        (
            "postgres://postgres@127.0.0.1:5000",
            "postgres://postgres@127.0.0.1:5000/t",
        ),
        (
            "postgres:///postgres?host=/run/x",
            "postgres:///t?host=/run/x",
        ),
    ] {
        assert_eq!(with_database(cluster, "t"), expected);
    }
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    let (Some(one), Some(other)) = (fresh_database().await, fresh_database().await) else {
        return;
    };
    let mut connection = PgConnection::connect(&one.url).await.expect("connects");
    sqlx::query("CREATE TABLE only_here (id BIGINT)")
        .execute(&mut connection)
        .await
        .expect("creates");
    let mut connection = PgConnection::connect(&other.url).await.expect("connects");
    let there: bool = sqlx::query_scalar("SELECT to_regclass('only_here') IS NOT NULL")
        .fetch_one(&mut connection)
        .await
        .expect("asks");
    assert!(!there);
}
