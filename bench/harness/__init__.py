"""The performance harness: servers, load, figures and the workloads. See bench/README.md."""
