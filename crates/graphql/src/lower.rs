//! One operation and its variables → root fields, each a shape and its values.
//!
//! A shape is JSON: `{"f":field,"a":{arguments},"s":{object type:[selected fields]}}`; a selected field is its name where
//! that says it all, or `{"k":response key,"f":…}`; one that cannot be answered has the number of the reason, `"e"`.

use apollo_compiler::Name;
use apollo_compiler::executable::{Field, Operation, SelectionSet};
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use plectrum_json::text;

use crate::collect::{Collected, Collector};
use crate::document::Document;
use crate::error::{Code, Error};
use crate::graph::Graph;
use crate::input::Inputs;
use crate::limits::{Limits, refused};
use crate::place::Spans;

/// Rows taken for a list without a limit of its own.
const UNLIMITED: u64 = 10;

/// What an operation asks for, in the order of its response.
#[derive(Debug)]
pub struct Lowered {
    /// Root fields.
    pub roots: Vec<Root>,
    /// Whether the schema itself is asked for.
    pub introspects: bool,
}

/// A root field.
#[derive(Debug)]
pub enum Root {
    /// Answered by a plan.
    Field(RootField),
    /// `__typename`: key and the root type's name.
    Typename(String, String),
    /// `__schema` or `__type`: the key.
    Introspection(String),
}

impl Root {
    /// Response key.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Field(field) => &field.key,
            Self::Typename(key, _) | Self::Introspection(key) => key,
        }
    }

    /// Whether it may be null.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        !matches!(self, Self::Field(field) if !field.nullable)
    }
}

/// A root field that a plan answers.
#[derive(Debug)]
pub struct RootField {
    /// Response key.
    pub key: String,
    /// Field of the root type.
    pub name: String,
    /// Whether the field may be null; otherwise its failure is the whole response's.
    pub nullable: bool,
    /// Where it is in the document.
    pub spans: Spans,
    /// What has to be planned.
    pub shape: Vec<u8>,
    /// Values of its placeholders, as JSON.
    pub values: Vec<Box<[u8]>>,
    /// Why it cannot be answered.
    pub error: Option<Error>,
    /// Why fields within it cannot be answered: they are `{"f":field,"e":number}` in the shape.
    pub refusals: Vec<Error>,
}

/// Lowers an operation.
///
/// # Errors
/// The request asks for more than it may.
pub fn lower(
    graph: &Graph,
    document: &Document,
    operation: &Operation,
    variables: &Valid<JsonMap>,
    limits: &Limits,
) -> Result<Lowered, Error> {
    let collector = Collector { graph, document, variables };
    let root_type = operation.object_type();
    let collected = collector.collect(root_type, std::iter::once(&operation.selection_set));
    let mut lowered = Lowered { roots: Vec::with_capacity(collected.len()), introspects: false };
    let mut rows = 0;
    for (key, fields) in collected {
        let Some(field) = fields.first() else { continue };
        lowered.roots.push(match field.name.as_str() {
            "__typename" => Root::Typename(key.to_string(), root_type.to_string()),
            "__schema" | "__type" => {
                if !graph.introspection {
                    let locations = document.places(&Spans::of(&fields[..1]));
                    return Err(Error { locations, ..hidden(&field.name) });
                }
                lowered.introspects = true;
                Root::Introspection(key.to_string())
            }
            _ => Root::Field(root_field(&collector, key, &fields, &mut rows)),
        });
    }
    if rows > limits.rows {
        let most = limits.rows;
        return Err(refused(format!(
            "The limits of the lists in the document add up to {rows} rows; at most {most} are allowed. Ask for fewer \
             with limit or first."
        )));
    }
    Ok(lowered)
}

fn hidden(field: &str) -> Error {
    Error::new(
        Code::IntrospectionDisabled,
        format!("The schema is not shown here: {field} cannot be asked for."),
    )
}

fn root_field(collector: &Collector<'_>, key: &Name, fields: &[&Field], rows: &mut u64) -> RootField {
    let field = fields[0];
    let mut lowering = Lowering {
        collector,
        inputs: Inputs {
            graph: collector.graph,
            variables: collector.variables,
            shape: Vec::with_capacity(256),
            values: Vec::new(),
            refused: None,
        },
        rows: 0,
        refusals: Vec::new(),
    };
    lowering.object(None, fields, 1);
    *rows = rows.saturating_add(lowering.rows);
    let spans = Spans::of(fields);
    let Lowering { inputs: Inputs { shape, values, refused, .. }, refusals, .. } = lowering;
    RootField {
        key: key.to_string(),
        name: field.name.to_string(),
        nullable: !field.definition.ty.is_non_null(),
        error: refused.map(|why| Error::new(Code::BadUserInput, why)),
        spans,
        shape,
        values,
        refusals,
    }
}

struct Lowering<'a> {
    collector: &'a Collector<'a>,
    inputs: Inputs<'a>,
    rows: u64,
    refusals: Vec<Error>,
}

impl<'a> Lowering<'a> {
    /// Fields of one response key; `key` where it differs from the name.
    fn field(&mut self, key: Option<&Name>, fields: &[&'a Field], parents: u64) {
        let field = fields[0];
        if key.is_none() && field.selection_set.selections.is_empty() && field.definition.arguments.is_empty()
        {
            text::write(&mut self.inputs.shape, &field.name);
            return;
        }
        let (shape, values) = (self.inputs.shape.len(), self.inputs.values.len());
        self.object(key, fields, parents);
        if let Some(why) = self.inputs.refused.take() {
            self.inputs.shape.truncate(shape);
            self.inputs.values.truncate(values);
            self.refused(key, &field.name);
            self.refusals.push(Error::new(Code::BadUserInput, why));
        }
    }

    /// A field that cannot be answered, wherever there is an object to have it.
    fn refused(&mut self, key: Option<&Name>, name: &Name) {
        self.inputs.shape.push(b'{');
        if let Some(key) = key {
            self.member(b"k", key);
        }
        self.member(b"f", name);
        self.inputs.shape.extend_from_slice(format!("\"e\":{}}}", self.refusals.len()).as_bytes());
    }

    fn object(&mut self, key: Option<&Name>, fields: &[&'a Field], parents: u64) {
        let field = fields[0];
        self.inputs.shape.push(b'{');
        if let Some(key) = key {
            self.member(b"k", key);
        }
        self.member(b"f", &field.name);
        let limit = self.inputs.arguments(&field.definition, &field.arguments);
        if !field.selection_set.selections.is_empty() && self.inputs.refused.is_none() {
            let rows = match limit {
                Some(limit) => parents.saturating_mul(limit),
                None if field.definition.ty.is_list() => parents.saturating_mul(UNLIMITED),
                None => parents,
            };
            if rows != parents || limit.is_some() {
                self.rows = self.rows.saturating_add(rows);
            }
            let sets: Vec<&'a SelectionSet> = fields.iter().map(|field| &field.selection_set).collect();
            self.selections(field.definition.ty.inner_named_type(), &sets, rows);
        }
        if self.inputs.shape.last() == Some(&b',') {
            self.inputs.shape.pop();
        }
        self.inputs.shape.push(b'}');
    }

    /// Appends `"name":"value",`.
    fn member(&mut self, name: &[u8], value: &str) {
        let shape = &mut self.inputs.shape;
        shape.push(b'"');
        shape.extend_from_slice(name);
        shape.extend_from_slice(b"\":\"");
        shape.extend_from_slice(value.as_bytes());
        shape.extend_from_slice(b"\",");
    }

    /// Appends `"s":{type:[…],…}`: a list of fields for each type an object may be of.
    fn selections(&mut self, ty: &str, sets: &[&'a SelectionSet], rows: u64) {
        self.inputs.shape.extend_from_slice(b"\"s\":{");
        for (index, object) in self.collector.graph.possible_types(ty).iter().enumerate() {
            if index > 0 {
                self.inputs.shape.push(b',');
            }
            text::write(&mut self.inputs.shape, object);
            self.inputs.shape.extend_from_slice(b":[");
            let collected: Collected<'a> = self.collector.collect(object, sets.iter().copied());
            for (index, (key, fields)) in collected.iter().enumerate() {
                if index > 0 {
                    self.inputs.shape.push(b',');
                }
                let Some(field) = fields.first() else { continue };
                self.field(Some(*key).filter(|key| **key != field.name), fields, rows.max(1));
            }
            self.inputs.shape.push(b']');
        }
        self.inputs.shape.push(b'}');
    }
}
