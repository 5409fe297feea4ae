//! What the template of the stack must keep, read from the file itself.

mod access;
mod calls;
mod limits;
mod template;
