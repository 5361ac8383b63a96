//! What tests are made of: fakes of remote parties with faults on request. No production code.

pub mod provider;
mod provider_wire;
