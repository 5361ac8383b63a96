//! Copies of a database that a story puts back, as an operator does after a disaster.

use std::path::PathBuf;

use crate::TestApp;
use crate::databases::Database;

/// What an app's database held at one moment.
pub enum Backup {
    /// Another file.
    Sqlite(PathBuf),
    /// Tables beside those that are in use.
    Postgres(Vec<String>),
}

impl TestApp {
    /// Copies the database while the server runs.
    ///
    /// # Panics
    /// When that fails.
    pub async fn back_up(&self) -> Backup {
        let database = self.database();
        if database.is_sqlite() {
            let copy = self.scratch().join("backup.db");
            database.run(&format!("VACUUM INTO '{}'", copy.display())).await;
            return Backup::Sqlite(copy);
        }
        let tables = database.column("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").await;
        database.keep(&tables).await;
        Backup::Postgres(tables)
    }

    /// Stops the server, puts the copy in place and starts it: whatever was written since is lost.
    ///
    /// # Panics
    /// When that fails.
    pub async fn restore(&mut self, backup: Backup) {
        match backup {
            Backup::Sqlite(copy) => {
                let copy = format!("sqlite:{}", copy.display());
                self.restart_with(|config| config.database = Some(copy)).await;
            }
            Backup::Postgres(tables) => {
                self.stop().await;
                self.database().put_back(&tables).await;
                self.resume().await;
            }
        }
    }
}

impl Database {
    /// Copies tables beside themselves, in place of earlier copies.
    ///
    /// # Panics
    /// When that fails.
    pub async fn keep(&self, tables: &[impl AsRef<str>]) {
        let copy = |table: &str| {
            format!("DROP TABLE IF EXISTS kept_{table}; CREATE TABLE kept_{table} AS SELECT * FROM {table};")
        };
        self.run(&tables.iter().map(|table| copy(table.as_ref())).collect::<String>()).await;
    }

    /// Puts what was kept back into tables, all at once.
    ///
    /// # Panics
    /// When that fails.
    pub async fn put_back(&self, tables: &[impl AsRef<str>]) {
        let back =
            |table: &str| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table};");
        let back: String = tables.iter().map(|table| back(table.as_ref())).collect();
        self.run(&format!("BEGIN; {back} COMMIT")).await;
    }
}
