//! A compiled plan: its statement, its row program and its children, level by level.

use std::sync::{Arc, OnceLock};

use crate::mark;
use crate::plan::{BindType, Child, Kind, Plan, Template};
use crate::plan_error::PlanError;
use crate::statement::Statement;
use crate::template::{self, Program, Scope};
use crate::wire::Resolved;

/// A compiled plan. Shared by all executions.
#[derive(Debug)]
pub(crate) struct Query {
    /// The top statement first, then its children, then theirs: parents before children, level after level.
    pub(crate) nodes: Vec<Arc<Node>>,
}

/// One statement of a query.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) statement: Statement,
    pub(crate) kinds: Box<[Kind]>,
    pub(crate) program: Program,
    /// What ties it to its parent; none at the top.
    pub(crate) relation: Option<Relation>,
    /// Its children in the plan's order.
    pub(crate) children: Vec<Relation>,
    /// 0 at the top.
    pub(crate) level: usize,
    /// What stands for a single row that is not there.
    pub(crate) missing: Box<[u8]>,
    /// Columns whose values at either end of the rows become cursors.
    pub(crate) edges: Box<[usize]>,
    /// Its rows come in the opposite order.
    pub(crate) reversed: bool,
    /// PostgreSQL's readers, once a server has described the columns.
    pub(crate) readers: OnceLock<Resolved>,
}

/// A parent, a child, and the columns that relate their rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relation {
    /// Index of the parent in [`Query::nodes`].
    pub(crate) parent: usize,
    /// Which of the parent's children it is.
    pub(crate) number: usize,
    /// Index of the child in [`Query::nodes`].
    pub(crate) child: usize,
    pub(crate) parent_column: usize,
    pub(crate) key_column: usize,
    pub(crate) many: bool,
    /// The columns are of different kinds: keys compare as text (generic relations).
    pub(crate) as_text: bool,
}

impl Query {
    pub(crate) fn compile(plan: &Plan) -> Result<Self, PlanError> {
        let root = Node::compile(plan, None, 0)?;
        if root.statement.key_binds() > 0 {
            return Err(PlanError::new(
                "binds",
                "`keys` binds the parent's keys, and this plan has no parent",
            ));
        }
        let mut nodes = vec![root];
        let mut level = vec![(0, plan, String::new())];
        while !level.is_empty() {
            level = Self::compile_children(&level, &mut nodes)?;
        }
        Ok(Self { nodes: nodes.into_iter().map(Arc::new).collect() })
    }

    /// Compiles the children of one level's plans; returns them as the next level, with their places.
    fn compile_children<'a>(
        level: &[(usize, &'a Plan, String)],
        nodes: &mut Vec<Node>,
    ) -> Result<Vec<(usize, &'a Plan, String)>, PlanError> {
        let mut next = Vec::new();
        for (parent, plan, place) in level {
            for (number, child) in plan.children.iter().enumerate() {
                let place = match place.as_str() {
                    "" => format!("children[{number}]"),
                    outer => format!("{outer}.children[{number}]"),
                };
                let relation = relation(plan, child, *parent, number, nodes.len())
                    .map_err(|error| error.within(&place))?;
                let depth = nodes[*parent].level + 1;
                let mut node = Node::compile(&child.plan, Some(relation), depth)
                    .map_err(|error| error.within(&place))?;
                if let Some(missing) = &child.missing {
                    node.missing = missing.get().as_bytes().into();
                } else if child.required {
                    let mut missing = Vec::new();
                    mark::absent(&mut missing);
                    node.missing = missing.into();
                }
                nodes[*parent].children.push(relation);
                nodes.push(node);
                next.push((relation.child, &child.plan, place));
            }
        }
        Ok(next)
    }

    /// The node at the top.
    pub(crate) fn root(&self) -> &Arc<Node> {
        &self.nodes[0]
    }

    pub(crate) fn has_children(&self) -> bool {
        self.nodes.len() > 1
    }

    pub(crate) fn levels(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.level + 1)
    }

    /// One more than the highest argument used.
    pub(crate) fn arity(&self) -> usize {
        self.nodes.iter().map(|node| node.statement.arity()).max().unwrap_or(0)
    }
}

impl Node {
    fn compile(plan: &Plan, relation: Option<Relation>, level: usize) -> Result<Self, PlanError> {
        let keys = match relation {
            Some(relation) if plan.columns[relation.key_column] == Kind::Uuid => BindType::Uuid,
            _ => BindType::Infer,
        };
        let statement = Statement::compile(&plan.sql, &plan.binds, keys)?;
        // None at all where Django knows that there are no rows, whatever the keys.
        if relation.is_some() && statement.key_binds() > 1 {
            let found = statement.key_binds();
            return Err(PlanError::new(
                "binds",
                format!("a child binds `keys` once, this one {found} times"),
            ));
        }
        let mut used = vec![false; plan.children.len()];
        mark_used(&plan.row, &mut used);
        if let Some(unused) = used.iter().position(|used| !used) {
            return Err(PlanError::new("row", format!("child {unused} has no place in the row")));
        }
        let scope = Scope { columns: plan.columns.len(), children: plan.children.len() };
        Ok(Self {
            statement,
            kinds: plan.columns.clone().into_boxed_slice(),
            program: template::compile(&plan.row, scope)?,
            relation,
            children: Vec::with_capacity(plan.children.len()),
            level,
            missing: b"null".as_slice().into(),
            edges: edges(plan)?,
            reversed: plan.reversed,
            readers: OnceLock::new(),
        })
    }
}

fn edges(plan: &Plan) -> Result<Box<[usize]>, PlanError> {
    let count = plan.columns.len();
    match plan.edges.iter().find(|column| **column >= count) {
        Some(column) => {
            Err(PlanError::new("edges", format!("column {column} does not exist: there are {count}")))
        }
        None => Ok(plan.edges.clone().into_boxed_slice()),
    }
}

fn relation(
    plan: &Plan,
    child: &Child,
    parent: usize,
    number: usize,
    index: usize,
) -> Result<Relation, PlanError> {
    let parent_kind = plan.columns.get(child.parent_column).ok_or_else(|| {
        let (column, count) = (child.parent_column, plan.columns.len());
        PlanError::new("parent_column", format!("column {column} does not exist: the parent has {count}"))
    })?;
    let key_kind = child.plan.columns.get(child.key_column).ok_or_else(|| {
        let (column, count) = (child.key_column, child.plan.columns.len());
        PlanError::new("key_column", format!("column {column} does not exist: the child has {count}"))
    })?;
    Ok(Relation {
        parent,
        number,
        child: index,
        parent_column: child.parent_column,
        key_column: child.key_column,
        many: child.many,
        as_text: std::mem::discriminant(parent_kind) != std::mem::discriminant(key_kind),
    })
}

/// Notes which children a template refers to; indices out of range are the compiler's to report.
fn mark_used(template: &Template, used: &mut [bool]) {
    match template {
        Template::Child(child) => {
            if let Some(used) = used.get_mut(*child) {
                *used = true;
            }
        }
        Template::Object(object) => object.fields.iter().for_each(|(_, value)| mark_used(value, used)),
        Template::Array(items) => items.iter().for_each(|item| mark_used(item, used)),
        Template::Mark(mark) => mark.data.iter().for_each(|item| mark_used(item, used)),
        Template::Column(_) | Template::Literal(_) | Template::Leaf(_) => {}
    }
}

#[cfg(test)]
mod tests;
