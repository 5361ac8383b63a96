//! Faults that are over within seconds.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use testkit::{Cluster, Process, RedisServer, databases};
use tokio_postgres::NoTls;

use crate::load::Load;
use crate::nodes;

/// Writes before a fault, and after it.
const SOME: usize = 150;

fn each(nodes: &[Process]) -> Vec<&Process> {
    nodes.iter().collect()
}

fn run(fault: impl Future<Output = ()>) {
    databases::runtime().block_on(fault);
}

/// Works without regard to the clock, for what has to last.
async fn lasting(time: Duration) {
    tokio::time::sleep(time).await;
}

#[test]
fn postgres_is_restarted() {
    run(async {
        let Some(mut cluster) = Cluster::start(&[]).await else { return };
        let nodes = nodes::start(2, &cluster.url(), &[]);
        let load = Load::start(&each(&nodes)).await;
        load.goes_on(SOME).await;
        cluster.crash();
        load.fails(10).await;
        cluster.resume().await;
        load.goes_on(SOME).await;
        load.end(&nodes[0]).await.tell("PostgreSQL is stopped at once (`immediate`) and started");
    });
}

#[test]
fn connections_are_exhausted() {
    run(async {
        let Some(cluster) = Cluster::start(&["max_connections=16"]).await else { return };
        let nodes = nodes::start(1, &cluster.url(), &[]);
        let load = Load::start(&each(&nodes)).await;
        load.goes_on(SOME).await;
        let mut others = Vec::new();
        // The node's connections are ended one after the other, and others take their places.
        for _ in 0..40 {
            if let Ok((client, connection)) = tokio_postgres::connect(&cluster.url(), NoTls).await {
                others.push((client, tokio::spawn(connection)));
            }
            if let Some((client, _)) = others.first() {
                let one = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND application_name = 'fairweather-bus'
                       OR query LIKE '%favourite%' AND pid <> pg_backend_pid() LIMIT 1";
                client.simple_query(one).await.expect(one);
            }
        }
        load.fails(20).await;
        drop(others);
        load.goes_on(SOME).await;
        load.end(&nodes[0]).await.tell("others take all connections of PostgreSQL");
    });
}

#[test]
fn statements_are_cancelled() {
    run(async {
        let Some(cluster) = Cluster::start(&[]).await else { return };
        let nodes = nodes::start(2, &cluster.url(), &[]);
        let load = Load::start(&each(&nodes)).await;
        load.goes_on(SOME).await;
        let (client, connection) =
            tokio_postgres::connect(&cluster.url(), NoTls).await.expect("a connection");
        let connection = tokio::spawn(connection);
        for _ in 0..100 {
            let all = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
                WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
            client.simple_query(all).await.expect(all);
            lasting(Duration::from_millis(10)).await;
        }
        drop(client);
        connection.await.expect("it ends").expect("it ends well");
        load.goes_on(SOME).await;
        load.end(&nodes[0]).await.tell("all statements are cancelled, 100 times in a second");
    });
}

#[test]
fn redis_is_killed_emptied_and_frozen() {
    run(async {
        let (Some(cluster), Some(mut redis)) = (Cluster::start(&[]).await, RedisServer::start()) else {
            return;
        };
        let nodes = nodes::start(2, &cluster.url(), &[("FAIRWEATHER_REDIS", &redis.url())]);
        let load = Load::start(&each(&nodes)).await;
        load.goes_on(SOME).await;
        redis.kill();
        load.goes_on(SOME).await;
        redis.resume();
        load.goes_on(SOME).await;
        redis.flush();
        load.goes_on(SOME).await;
        redis.freeze();
        lasting(Duration::from_secs(3)).await;
        load.goes_on(SOME).await;
        redis.thaw();
        load.goes_on(SOME).await;
        let outcome = load.end(&nodes[0]).await;
        outcome.tell("Redis is killed, comes back empty, is flushed, and does not answer for three seconds");
        outcome.none_failed("nobody notices a Redis that is gone");
    });
}

#[test]
fn a_node_is_frozen_for_ten_seconds() {
    run(async { freeze(Duration::from_secs(10), "10").await });
}

/// Freezes one of two nodes, wherever in its work it is.
pub async fn freeze(time: Duration, seconds: &str) {
    let Some(cluster) = Cluster::start(&[]).await else { return };
    let nodes = nodes::start(2, &cluster.url(), &[]);
    let load = Load::start(&each(&nodes)).await;
    load.goes_on(SOME).await;
    nodes[1].freeze();
    lasting(time).await;
    nodes[1].thaw();
    load.goes_on(SOME).await;
    load.end(&nodes[1]).await.tell(&format!("one of two nodes is frozen for {seconds} seconds (SIGSTOP)"));
}

#[test]
fn the_clock_of_a_node_is_five_minutes_ahead() {
    run(async {
        let Some(cluster) = Cluster::start(&[]).await else { return };
        let Some(library) = faketime() else {
            databases::skip("faketime is not installed");
            return;
        };
        // The program `faketime` would stay beside the node, and be killed in its place.
        let preload = format!("LD_PRELOAD={}", library.display());
        let ring = nodes::ring();
        let mut right = nodes::prepare(&ring, &[], &cluster.url(), &[]);
        let mut ahead = nodes::prepare(&ring, &["env", &preload, "FAKETIME=+5m"], &cluster.url(), &[]);
        right.start();
        ahead.start();
        // People begin at each in turn, and go on at both.
        let load = Load::start(&[&right, &ahead]).await;
        load.goes_on(4 * SOME).await;
        lives_are_short_at_both(&right, &ahead).await;
        lives_are_short_at_both(&ahead, &right).await;
        let outcome = load.end(&right).await;
        outcome.tell("the clock of one of two nodes is five minutes ahead");
        outcome.none_failed("five minutes are no reason to refuse anybody");
    });
}

/// The library of `faketime` for programs with threads; it lies in a folder named after the machine.
fn faketime() -> Option<PathBuf> {
    let machines = fs::read_dir("/usr/lib").ok()?.flatten();
    machines.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file())
}

/// What one node gives out for seconds is good at the other for just as long.
async fn lives_are_short_at_both(one: &Process, other: &Process) {
    let mut ann = one.visitor();
    ann.start_anonymously().await;
    let there = other.visitor();
    there.keep(|kept| *kept = ann.kept());
    // Two tabs with one token: the second is answered like the first, and nobody is taken for a thief.
    let token = ann.refresh_token();
    let rotated = ann.refresh().await;
    ann.get("/v1/me").await.expect(200);
    let again = there.present(&token).await.expect(200);
    assert_eq!(again.text("/refresh_token"), rotated.text("/refresh_token"));
    let ticket = ann.post("/v1/stream/ticket", json!(null)).await.expect(200).text("/ticket");
    other.visitor().get(&format!("/v1/stream?ticket={ticket}")).follow().await.hello().await;
}

#[test]
fn the_disk_of_a_sqlite_node_is_full() {
    run(async {
        let disk = tempfile::tempdir().expect("a folder");
        let path = disk.path().display().to_string();
        // A disk of its own that an ordinary user may make, seen by the node alone.
        let mount = "mount -t tmpfs -o size=16m tmpfs \"$0\" && exec \"$@\"";
        let prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, &path];
        let mut tried = std::process::Command::new(prefix[0]);
        if !tried.args(&prefix[1..]).arg("true").status().is_ok_and(|status| status.success()) {
            databases::skip("this system lets nobody make a disk of their own (unshare)");
            return;
        }
        let mut node = nodes::prepare(&nodes::ring(), &prefix, &format!("sqlite:{path}/fairweather.db"), &[]);
        node.start();
        let load = Load::start(&[&node]).await;
        load.goes_on(SOME).await;
        // The same disk from outside.
        let ballast = node.root().join(path.trim_start_matches('/')).join("ballast");
        let full = fs::write(&ballast, vec![7; 32 * 1024 * 1024]);
        assert!(full.is_err(), "a disk of 16 MiB holds no 32");
        load.fails(20).await;
        node.visitor().get("/healthz").await.expect(200);
        fs::remove_file(&ballast).expect("the ballast goes");
        load.goes_on(SOME).await;
        load.end(&node).await.tell("the disk of a SQLite node is full, and then no more");
    });
}
