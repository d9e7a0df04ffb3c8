//! GraphQL over models: document and model graph → plans of the database crate. No I/O.
