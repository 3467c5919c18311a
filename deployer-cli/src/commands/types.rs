//! `deployer types`: the annotations that let an editor complete and check deployment files.

use deployer_core::script;

use super::print;
use crate::failure::Failure;

pub(super) fn types() -> Result<u8, Failure> {
    print(script::TYPES)?;
    Ok(0)
}
