//! `App`: router + middleware + endpoints. No PyO3: the whole engine runs under `cargo test` with closures.
