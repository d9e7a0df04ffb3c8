//! `plan::Template` → [`Program`]: neighbouring fixed bytes merge, indices are checked.

use super::{Action, BLOCK, Op, Program};
use crate::mark::MARK;
use crate::plan::{Mark, Object, Template};
use crate::plan_error::PlanError;

/// What a template may refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    /// Number of result columns.
    pub(crate) columns: usize,
    /// Number of child plans.
    pub(crate) children: usize,
}

/// What a column's value takes, as a guess: a number, a date, a short text.
const COLUMN_ESTIMATE: usize = 24;

/// Compiles the template of one row. Recursion is bounded: the JSON reader refuses deep descriptions.
pub(crate) fn compile(template: &Template, scope: Scope) -> Result<Program, PlanError> {
    let mut compiler = Compiler { scope, fixed: Vec::new(), flushed: 0, ops: Vec::new() };
    compiler.template(template)?;
    compiler.flush();
    compiler.fixed.resize(compiler.fixed.len() + BLOCK, b' ');
    let estimate = compiler.fixed.len() + COLUMN_ESTIMATE * compiler.ops.len();
    Ok(Program { fixed: compiler.fixed.into_boxed_slice(), ops: compiler.ops.into_boxed_slice(), estimate })
}

struct Compiler {
    scope: Scope,
    fixed: Vec<u8>,
    /// Fixed bytes up to here belong to operations already.
    flushed: usize,
    ops: Vec<Op>,
}

impl Compiler {
    fn template(&mut self, template: &Template) -> Result<(), PlanError> {
        match template {
            Template::Column(column) => {
                let column = self.column(*column)?;
                self.push(Action::Column(column));
            }
            Template::Object(object) => self.object(object)?,
            Template::Array(items) => self.array(items)?,
            Template::Child(child) => {
                let child = check("template", "child", *child, self.scope.children)?;
                self.push(Action::Child(child));
            }
            Template::Literal(json) => self.fixed.extend_from_slice(json.get().as_bytes()),
            Template::Leaf(leaf) => {
                let column = self.column(leaf.column)?;
                self.push(Action::Leaf { column, required: leaf.required });
            }
            Template::Mark(mark) => self.mark(mark)?,
        }
        Ok(())
    }

    fn object(&mut self, object: &Object) -> Result<(), PlanError> {
        let check_at = match object.absent {
            Some(column) => {
                let column = self.column(column)?;
                self.push(Action::Absent { column, required: object.required, to: 0 });
                Some(self.ops.len() - 1)
            }
            None => None,
        };
        self.fixed.push(b'{');
        for (index, (name, value)) in object.fields.iter().enumerate() {
            if index > 0 {
                self.fixed.push(b',');
            }
            self.fixed.extend_from_slice(&plectrum_json::text::key(name));
            self.template(value)?;
        }
        self.fixed.push(b'}');
        if let Some(check_at) = check_at {
            // The closing brace belongs to the object that is jumped over, not to what follows.
            self.flush();
            let to = self.ops.len() as u32;
            if let Action::Absent { to: target, .. } = &mut self.ops[check_at].action {
                *target = to;
            }
        }
        Ok(())
    }

    fn mark(&mut self, mark: &Mark) -> Result<(), PlanError> {
        if !mark.letter.is_ascii_alphabetic() {
            return Err(PlanError::new(
                "template",
                format!("a mark has an ASCII letter, not {:?}", mark.letter),
            ));
        }
        self.fixed.extend_from_slice(&[MARK, mark.letter as u8]);
        self.array(&mark.data)
    }

    fn array(&mut self, items: &[Template]) -> Result<(), PlanError> {
        self.fixed.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.fixed.push(b',');
            }
            self.template(item)?;
        }
        self.fixed.push(b']');
        Ok(())
    }

    fn column(&self, column: usize) -> Result<u32, PlanError> {
        check("template", "column", column, self.scope.columns)
    }

    /// Ends an operation with `action`; the fixed bytes since the last one come before it.
    fn push(&mut self, action: Action) {
        let (start, end) = (self.flushed as u32, self.fixed.len() as u32);
        self.ops.push(Op { start, end, action });
        self.flushed = self.fixed.len();
    }

    /// Fixed bytes that no action follows.
    fn flush(&mut self) {
        if self.flushed < self.fixed.len() {
            self.push(Action::None);
        }
    }
}

/// `index`, where it is below `count`.
fn check(place: &str, what: &str, index: usize, count: usize) -> Result<u32, PlanError> {
    match u32::try_from(index) {
        Ok(small) if index < count => Ok(small),
        _ => Err(PlanError::new(place, format!("{what} {index} does not exist: the plan has {count}"))),
    }
}
