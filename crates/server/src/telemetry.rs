//! Logs and metrics of the process.

use std::io::IsTerminal;
use std::sync::OnceLock;

use domain::{Error, Result};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::Log;

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// Seconds: from a cached answer to one that waited for a provider.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 3.0, 10.0];

/// Begins to log, on stderr: results are on stdout.
pub fn start_logging(log: &Log) -> Result<()> {
    let filter = EnvFilter::try_new(&log.level)
        .map_err(|error| Error::internal(format!("log.level does not parse: {error}")))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let text = match log.format.as_str() {
        "text" => true,
        "json" => false,
        "auto" => std::io::stderr().is_terminal(),
        _ => return Err(Error::internal("log.format must be text, json or auto")),
    };
    // A second start in one process (tests) keeps the first's logger.
    let _ = if text {
        builder.with_target(false).compact().try_init()
    } else {
        builder.json().flatten_event(true).with_ansi(false).try_init()
    };
    Ok(())
}

/// Begins to count.
pub fn start_metrics() -> Result<()> {
    if METRICS.get().is_some() {
        return Ok(());
    }
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS).map_err(Error::internal)?.build_recorder();
    let handle = recorder.handle();
    if METRICS.set(handle).is_ok() {
        // Fails only where another recorder was set before, which counts all the same.
        let _ = metrics_recorder(recorder);
    }
    Ok(())
}

fn metrics_recorder(recorder: metrics_exporter_prometheus::PrometheusRecorder) -> bool {
    metrics::set_global_recorder(recorder).is_ok()
}

/// Prometheus' text.
pub fn metrics_text() -> String {
    METRICS.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Folds what was observed since the last time, so that it does not pile up.
pub fn fold_metrics() {
    if let Some(handle) = METRICS.get() {
        handle.run_upkeep();
    }
}
