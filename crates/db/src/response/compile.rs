//! `plan::Response` → segments; every query has exactly one place.

use super::{Form, Segment};
use crate::plan::{CursorPage, Page, Response};
use crate::plan_error::PlanError;

/// Compiles a response over `queries` queries. Recursion is bounded: the JSON reader refuses deep descriptions.
pub(crate) fn compile(response: &Response, queries: usize) -> Result<Vec<Segment>, PlanError> {
    let mut compiler =
        Compiler { segments: Vec::new(), text: Vec::new(), used: vec![false; queries], pages: 0 };
    compiler.response(response)?;
    compiler.flush();
    if let Some(unused) = compiler.used.iter().position(|used| !used) {
        return Err(error(format!("query {unused} has no place in it")));
    }
    Ok(compiler.segments)
}

fn error(reason: impl Into<String>) -> PlanError {
    PlanError::new("response", reason)
}

struct Compiler {
    segments: Vec<Segment>,
    /// Fixed bytes not yet in a segment.
    text: Vec<u8>,
    used: Vec<bool>,
    pages: usize,
}

impl Compiler {
    fn response(&mut self, response: &Response) -> Result<(), PlanError> {
        match response {
            Response::Rows(query) => self.query(*query, Form::Rows),
            Response::One(query) => self.query(*query, Form::One),
            Response::Scalar(query) => self.query(*query, Form::Scalar),
            Response::Object(fields) => {
                for (index, (name, value)) in fields.iter().enumerate() {
                    self.text.push(if index == 0 { b'{' } else { b',' });
                    self.text.extend_from_slice(&plectrum_json::text::key(name));
                    self.response(value)?;
                }
                self.text.extend_from_slice(if fields.is_empty() { b"{}" } else { b"}" });
                Ok(())
            }
            Response::Page(page) => self.page(page),
            Response::Cursor(page) => self.cursor_page(page),
            Response::Literal(json) => {
                self.text.extend_from_slice(json.get().as_bytes());
                Ok(())
            }
        }
    }

    fn page(&mut self, page: &Page) -> Result<(), PlanError> {
        self.pages += 1;
        if self.pages > 1 {
            return Err(error("more than one page: links need an address of their own"));
        }
        if page.probe {
            return self.probed_page(page);
        }
        let count = page.count.ok_or_else(|| error("a page without a count has to be probed"))?;
        self.text.extend_from_slice(b"{\"count\":");
        self.query(count, Form::Scalar)?;
        self.segments.push(Segment::Links(page.clone()));
        self.text.extend_from_slice(b",\"results\":");
        self.query(page.results, Form::Rows)?;
        self.text.push(b'}');
        Ok(())
    }

    fn probed_page(&mut self, page: &Page) -> Result<(), PlanError> {
        self.text.push(b'{');
        if let Some(count) = page.count {
            self.text.extend_from_slice(b"\"count\":");
            self.query(count, Form::Scalar)?;
            self.text.push(b',');
        }
        self.text.extend_from_slice(b"\"results\":");
        self.query(page.results, Form::Page(page.size))?;
        self.segments.push(Segment::Links(page.clone()));
        self.text.push(b'}');
        Ok(())
    }

    fn cursor_page(&mut self, page: &CursorPage) -> Result<(), PlanError> {
        self.pages += 1;
        if self.pages > 1 {
            return Err(error("more than one page: links need an address of their own"));
        }
        self.text.extend_from_slice(b"{\"results\":");
        self.query(page.results, Form::Page(page.size))?;
        self.segments.push(Segment::Cursors(page.clone()));
        self.text.push(b'}');
        Ok(())
    }

    fn query(&mut self, query: usize, form: Form) -> Result<(), PlanError> {
        let count = self.used.len();
        let used = self
            .used
            .get_mut(query)
            .ok_or_else(|| error(format!("query {query} does not exist: the operation has {count}")))?;
        if std::mem::replace(used, true) {
            return Err(error(format!("query {query} has more than one place")));
        }
        self.flush();
        self.segments.push(Segment::Query { query, form });
        Ok(())
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.segments.push(Segment::Text(std::mem::take(&mut self.text).into_boxed_slice()));
        }
    }
}
