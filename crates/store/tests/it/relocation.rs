//! Moving an installation into PostgreSQL, as far as the store can tell.

use store::relocation::{TABLES, Treatment};

use crate::test_store::TestStore;

stamp! { both: [every_table_of_the_schema_is_thought_of] }

async fn every_table_of_the_schema_is_thought_of(store: TestStore) {
    let mut known: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    known.sort_unstable();
    assert_eq!(store.database.tables(None).await, known, "say in relocation.rs what becomes of a new table");
}

/// What stays behind is gone for everybody, and comparing both sides says nothing of it.
#[test]
fn no_other_table_stays_behind() {
    let left = TABLES.iter().filter(|(_, treatment)| *treatment != Treatment::Moved);
    let left: Vec<&str> = left.map(|(table, _)| *table).collect();
    assert_eq!(left, ["schema_migration", "store_era", "database_move", "cell_claim"]);
}
