//! The contact centre itself, and where its recordings lie.

use serde_json::{Map, Value, json};

use super::answer::{self, Refused};
use super::{Gir, rules};
use crate::http::reply::Reply;

impl Gir {
    /// The contact centres: one.
    pub(super) fn contact_centers(&self) -> Result<Reply, Refused> {
        self.mark(&rules::CONTACT_CENTERS);
        let uri = format!(
            "{}/api/v2/ops/contact-centers/{}",
            self.base_url(),
            self.settings.contact_center_id
        );
        Ok(answer::told(
            200,
            Map::from_iter([("uris".to_owned(), json!([uri]))]),
        ))
    }

    /// The stores, as they were put, without their secrets.
    pub(super) fn store(&self, contact_center: &str) -> Result<Reply, Refused> {
        self.is_ours(contact_center)?;
        self.mark(&rules::STORE);
        let mut store = self.state().store.clone();
        for of_kind in store
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .flat_map(Map::values_mut)
            .filter_map(Value::as_object_mut)
        {
            of_kind.retain(|name, _| !["password", "secretKey"].contains(&name.as_str()));
        }
        Ok(answer::told(
            200,
            Map::from_iter([("store".to_owned(), Value::from(store))]),
        ))
    }

    /// Replaces the stores.
    pub(super) fn put_store(&self, contact_center: &str, body: &Value) -> Result<Reply, Refused> {
        self.is_ours(contact_center)?;
        self.mark(&rules::STORE);
        let store = body["store"]
            .as_array()
            .ok_or_else(|| Refused::missing("store"))?;
        let is_store = |entry: &Value| {
            ["webDAV", "awsS3"]
                .iter()
                .any(|kind| entry[*kind].is_object())
        };
        if let Some(wrong) = store.iter().position(|entry| !is_store(entry)) {
            return Err(Refused::invalid(
                &format!("store[{wrong}]"),
                "it must hold webDAV or awsS3",
            ));
        }
        self.state().store.clone_from(store);
        Ok(answer::done(200).effect("replaced"))
    }
}
