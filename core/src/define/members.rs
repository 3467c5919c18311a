//! Members of a class, one method each.

use super::{Code, IntoAction, Q};
use crate::node::{Class, ClassBuilder, ClassError, DEFAULT_ACTION, HostSource, Member, Node, Position, RoleMapping};
use crate::script::LoadError;
use crate::value::Value;

/// Begins parallel classes: [`ParallelNode::define`].
#[derive(Debug)]
pub struct ParallelNode;

impl Node {
    /// Begins a class that extends `Node`; [`Class::extend`] begins one that extends another.
    #[track_caller]
    pub fn define(name: &str) -> ClassBuilder {
        Class::node().extend(name)
    }
}

impl ParallelNode {
    /// Begins a class that extends `ParallelNode`: its actions run once per host of the role `host` (row C-01).
    #[track_caller]
    pub fn define(name: &str) -> ClassBuilder {
        Class::parallel_node().extend(name)
    }
}

/// What can be a child: a class, or one that is still being built.
pub trait IntoClass {
    /// The class.
    ///
    /// # Errors
    /// When it breaks a rule.
    fn into_class(self) -> Result<Class, ClassError>;
}

impl IntoClass for Class {
    fn into_class(self) -> Result<Class, ClassError> {
        Ok(self)
    }
}

impl IntoClass for &Class {
    fn into_class(self) -> Result<Class, ClassError> {
        Ok(self.clone())
    }
}

impl IntoClass for ClassBuilder {
    fn into_class(self) -> Result<Class, ClassError> {
        self.build()
    }
}

/// What can be the root of a tree: a class, finished or not, or a node; or a `Result` of these.
pub trait IntoRoot {
    /// The root.
    ///
    /// # Errors
    /// When the class breaks a rule, or cannot be a root.
    fn into_root(self) -> Result<Node, LoadError>;
}

impl<C: IntoClass> IntoRoot for C {
    fn into_root(self) -> Result<Node, LoadError> {
        let class = self.into_class()?;
        let position = class.position().cloned();
        Node::root(class).map_err(|error| LoadError { position, message: error.to_string() })
    }
}

impl<C: IntoClass> IntoRoot for Result<C, ClassError> {
    fn into_root(self) -> Result<Node, LoadError> {
        self?.into_root()
    }
}

impl IntoRoot for Node {
    fn into_root(self) -> Result<Node, LoadError> {
        Ok(self)
    }
}

impl IntoRoot for Result<Node, LoadError> {
    fn into_root(self) -> Result<Node, LoadError> {
        self
    }
}

/// A class of a program that cannot be used is a tree that cannot be used.
impl From<ClassError> for LoadError {
    fn from(error: ClassError) -> LoadError {
        LoadError { position: error.position, message: error.message }
    }
}

/// What is wrong is said by [`ClassBuilder::build`], with the line. Names like `child__attribute` override inside a child
/// (section B).
impl ClassBuilder {
    fn at(self, name: &str, member: Result<Member, String>, position: Position) -> ClassBuilder {
        match member {
            Ok(member) => self.member(name, member, Some(position)),
            Err(message) => self.refuse(ClassError { position: Some(position), message }),
        }
    }

    /// A plain value (row A-39).
    #[track_caller]
    pub fn value(self, name: &str, value: impl Into<Value>) -> ClassBuilder {
        self.at(name, Ok(Member::Value(value.into())), Position::caller())
    }

    /// A value that has to be overridden before it is read (row A-21), and what it is for.
    #[track_caller]
    pub fn required(self, name: &str, what_for: &str) -> ClassBuilder {
        let what_for = (!what_for.is_empty()).then(|| what_for.to_string());
        self.at(name, Ok(Member::Required(what_for)), Position::caller())
    }

    /// An action (row A-01): a closure as [`Code`] describes it, or what [`super::action`] makes of one.
    #[track_caller]
    pub fn action<P>(self, name: &str, action: impl IntoAction<P>) -> ClassBuilder {
        let position = Position::caller();
        self.at(name, Ok(Member::Action(action.into_action(position.clone()))), position)
    }

    /// The action that calling the node itself runs (row A-23).
    #[track_caller]
    pub fn default_action<P>(self, action: impl IntoAction<P>) -> ClassBuilder {
        self.action(DEFAULT_ACTION, action)
    }

    /// Code that is evaluated when the name is read (row A-22): `async |env: Env| ...`.
    #[track_caller]
    pub fn property(self, name: &str, code: impl Code<()>) -> ClassBuilder {
        let position = Position::caller();
        self.at(name, Ok(Member::Property(code.into_action(position.clone()))), position)
    }

    /// An expression over the tree that is evaluated when the name is read (section G).
    #[track_caller]
    pub fn query(self, name: &str, query: impl Into<Q>) -> ClassBuilder {
        let position = Position::caller();
        let query = query.into().build().map_err(|error| error.to_string());
        let placed =
            query.map(|query| Member::Query(crate::query::Query { position: Some(position.clone()), ..query }));
        self.at(name, placed, position)
    }

    /// A child node (row A-02).
    #[track_caller]
    pub fn child(self, name: &str, class: impl IntoClass) -> ClassBuilder {
        match class.into_class() {
            Ok(class) => self.at(name, Ok(Member::Child(class)), Position::caller()),
            Err(error) => self.refuse(error),
        }
    }

    /// Hosts from the parent's roles (section D), as [`crate::map_roles!`] makes them; the name of a role maps it to
    /// `host`.
    pub fn map_roles(self, mapping: impl Into<RoleMapping>) -> ClassBuilder {
        self.hosts(HostSource::Mapped(mapping.into()))
    }

    /// Other hosts for a child: `hosts_of("Code", roles! { host: web1 })`; `a__b` reaches further down (row B-05).
    #[track_caller]
    pub fn hosts_of(self, child: &str, hosts: impl Into<HostSource>) -> ClassBuilder {
        let path: Vec<&str> = child.split("__").collect();
        self.child_hosts(&path, hosts.into(), Some(Position::caller()))
    }

    /// `.Array`: nestable in a normal node, acts on all its hosts (row C-20).
    #[track_caller]
    pub fn array(self) -> ClassBuilder {
        self.nested(Class::array, Position::caller())
    }

    /// `.JustOne`: nestable in a normal node, for exactly one host (row C-21).
    #[track_caller]
    pub fn just_one(self) -> ClassBuilder {
        self.nested(Class::just_one, Position::caller())
    }
}
