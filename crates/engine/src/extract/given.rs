//! What a request gives for one name, and the models whose fields are read from names of their own.

use std::borrow::Cow;
use std::sync::Arc;

use plectrum_http::form::Upload;
use plectrum_http::header::CONTENT_TYPE;
use plectrum_schema::error::table::Code;
use plectrum_schema::error::{Error, Step};
use plectrum_schema::node::{Length, UploadRule};
use plectrum_schema::sink::Sink;
use plectrum_schema::{Node, Schema, validate_fields, validate_node};

use super::argument::Extracted;
use crate::blueprint::Source;

/// Everything a request says under one name.
#[derive(Default)]
pub(super) struct Given<'a> {
    pub(super) texts: Vec<Cow<'a, str>>,
    /// Files with their numbers in the form.
    pub(super) uploads: Vec<(usize, &'a Upload)>,
}

impl Given<'_> {
    /// As a value of `node`; `None` where nothing is given.
    pub(super) fn read<S: Sink>(&self, schema: &Schema, node: &Node, sink: &mut S) -> Extracted<S::Value> {
        match schema.plain(node) {
            Node::Upload(rule) => match self.uploads.last() {
                Some(upload) => checked(rule, *upload, sink).map(Some),
                None => Ok(None),
            },
            Node::List(list) => match schema.plain(&list.item) {
                Node::Upload(_) if self.uploads.is_empty() => Ok(None),
                Node::Upload(rule) => {
                    count(list.length, self.uploads.len())?;
                    let items = self.each(rule, sink)?;
                    Ok(Some(sink.list(list.container, items.into_iter())))
                }
                _ => self.text(schema, node, sink),
            },
            _ => self.text(schema, node, sink),
        }
    }

    fn each<S: Sink>(&self, rule: &UploadRule, sink: &mut S) -> Result<Vec<S::Value>, Vec<Error>> {
        let (mut items, mut errors) = (Vec::new(), Vec::new());
        for (position, upload) in self.uploads.iter().enumerate() {
            match checked(rule, *upload, sink) {
                Ok(item) => items.push(item),
                Err(found) => errors
                    .extend(found.into_iter().map(|error| super::within(error, &[Step::Index(position)]))),
            }
        }
        if errors.is_empty() { Ok(items) } else { Err(errors) }
    }

    fn text<S: Sink>(&self, schema: &Schema, node: &Node, sink: &mut S) -> Extracted<S::Value> {
        if self.texts.is_empty() {
            return Ok(None);
        }
        validate_node(schema, node, &self.texts, sink).map(Some)
    }

    fn is_nothing(&self) -> bool {
        self.texts.is_empty() && self.uploads.is_empty()
    }
}

fn checked<S: Sink>(
    rule: &UploadRule,
    (index, upload): (usize, &Upload),
    sink: &mut S,
) -> Result<S::Value, Vec<Error>> {
    if let Some(limit) = rule.max_size.filter(|limit| upload.size > *limit) {
        let message = format!("File should have at most {limit} bytes");
        return Err(vec![Error::new("file_too_large", message)]);
    }
    let media_type =
        upload.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let fits = |allowed: &String| match allowed.strip_suffix('*') {
        Some(kind) => essence.starts_with(kind),
        None => essence == *allowed,
    };
    if !rule.media_types.is_empty() && !rule.media_types.iter().any(fits) {
        let message = format!("File should be of type {}", rule.media_types.join(", "));
        return Err(vec![Error::new("file_type", message)]);
    }
    Ok(sink.upload(index))
}

fn count(length: Length, found: usize) -> Result<(), Vec<Error>> {
    let (least, most) = (length.min_length.unwrap_or(0), length.max_length.unwrap_or(usize::MAX));
    if found < least {
        return Err(vec![Error::new("too_short", format!("List should have at least {least} items"))]);
    }
    if found > most {
        return Err(vec![Error::new("too_long", format!("List should have at most {most} items"))]);
    }
    Ok(())
}

/// Whether values of the type are uploaded files.
pub(super) fn is_upload(schema: &Schema) -> bool {
    schema.structure().is_none() && schema.has_upload()
}

/// A model whose fields are parameters.
pub(super) struct Model {
    /// Name of each field on the wire.
    pub(super) wires: Vec<Box<str>>,
    /// Of a class that validates JSON by itself: which fields are lists.
    foreign: Option<(u32, Vec<bool>)>,
}

impl Model {
    /// The model a parameter is, if it is one.
    pub(super) fn of(schema: &Arc<Schema>, source: Source) -> Option<Self> {
        if !matches!(source, Source::Query | Source::Header | Source::Cookie | Source::Form) {
            return None;
        }
        let wire = |key: &str| match source {
            Source::Header => key.replace('_', "-").to_lowercase().into_boxed_str(),
            _ => Box::from(key),
        };
        if let Some(of) = schema.structure() {
            return Some(Self {
                wires: of.fields.iter().map(|field| wire(&field.key)).collect(),
                foreign: None,
            });
        }
        let Node::Foreign { class, describe } = schema.plain(&schema.root) else { return None };
        let properties = describe.as_ref()?.get("properties")?.as_object()?;
        let lists = properties.values().map(|property| property["type"] == "array").collect();
        Some(Self { wires: properties.keys().map(|key| wire(key)).collect(), foreign: Some((*class, lists)) })
    }

    /// The model's value; `given` says what there is for a field by number.
    pub(super) fn read<'a, S: Sink>(
        &self,
        schema: &Schema,
        required: bool,
        given: impl Fn(usize) -> Given<'a>,
        sink: &mut S,
    ) -> Extracted<S::Value> {
        if !required && (0..self.wires.len()).all(|field| given(field).is_nothing()) {
            return Ok(None);
        }
        match &self.foreign {
            Some((class, lists)) => {
                let json = self.json(lists, given);
                sink.foreign(*class, json.to_string().as_bytes()).map(Some)
            }
            None => validate_fields(schema, sink, |index, field, sink| {
                given(index).read(schema, &field.node, sink)
            })
            .map(Some),
        }
    }

    /// Text for its own validator, which reads numbers and the like from it.
    fn json<'a>(&self, lists: &[bool], given: impl Fn(usize) -> Given<'a>) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        for (index, (wire, is_list)) in self.wires.iter().zip(lists).enumerate() {
            let texts = given(index).texts;
            match texts.last() {
                Some(_) if *is_list => object.insert(wire.to_string(), texts.into()),
                Some(last) => object.insert(wire.to_string(), (&**last).into()),
                None => None,
            };
        }
        object.into()
    }
}

/// What is said of an argument that is not there and must be.
pub(super) fn missing() -> Vec<Error> {
    vec![Error::from(Code::Missing)]
}
