//! What a read leaves out, by the settings `metadata.privacy` of the contact centre. Source:
//! Settings API.

use serde_json::{Map, Value};

use super::settings::PrivacySettings;

/// Takes the hidden fields out of a recording as it is told: those of agents out of users'
/// contacts, those of customers out of external ones, both out of the recording itself, the
/// parameters of its media and the data of its events.
pub(super) fn hide(recording: &mut Value, privacy: &PrivacySettings) {
    let [agents, customers] = [&privacy.agent_fields, &privacy.customer_fields];
    if agents.is_empty() && customers.is_empty() {
        return;
    }
    let hide = |fields: &mut Map<String, Value>, of: &[&Vec<String>]| {
        fields.retain(|name, _| !of.iter().any(|list| list.contains(name)))
    };
    if let Some(fields) = recording.as_object_mut() {
        hide(fields, &[agents, customers]);
    }
    for file in each(recording, "mediaFiles") {
        if let Some(parameters) = file.get_mut("parameters").and_then(Value::as_object_mut) {
            hide(parameters, &[agents, customers]);
        }
    }
    for event in each(recording, "eventHistory") {
        let is_user = event
            .pointer("/contact/type")
            .is_some_and(|kind| kind == "User");
        if let Some(contact) = event.get_mut("contact").and_then(Value::as_object_mut) {
            hide(contact, &[if is_user { agents } else { customers }]);
        }
        let data = event
            .get_mut("data")
            .and_then(Value::as_object_mut)
            .into_iter()
            .flat_map(Map::values_mut)
            .filter_map(Value::as_object_mut);
        data.for_each(|texts| hide(texts, &[agents, customers]));
    }
}

fn each<'a>(recording: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    let items = recording
        .get_mut(list)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten();
    items.filter(|item| item.is_object())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hidden_field_is_left_out_where_it_is_of_the_one_it_is_hidden_for() {
        let mut recording = json!({
            "id": "1", "callerPhoneNumber": "+1", "dialedPhoneNumber": "+2",
            "mediaFiles": [{"parameters": {"username": "a", "ani": "+1", "id": "m"}}, {}],
            "eventHistory": [
                {"contact": {"type": "User", "phoneNumber": "L1", "userName": "a"}},
                {"contact": {"type": "External", "phoneNumber": "+1"}},
                {"data": {"added": {"GSIP_RECORD": "ON", "st.queue": "q"}}},
            ],
        });
        let privacy = PrivacySettings {
            agent_fields: ["username", "userName"].map(str::to_owned).to_vec(),
            customer_fields: ["callerPhoneNumber", "ani", "phoneNumber", "GSIP_RECORD"]
                .map(str::to_owned)
                .to_vec(),
            ops_sees_all: true,
        };
        hide(&mut recording, &privacy);
        let told = json!({
            "id": "1", "dialedPhoneNumber": "+2",
            "mediaFiles": [{"parameters": {"id": "m"}}, {}],
            "eventHistory": [
                {"contact": {"type": "User", "phoneNumber": "L1"}}, {"contact": {"type": "External"}}, {"data": {"added": {"st.queue": "q"}}},
            ],
        });
        assert_eq!(recording, told);
    }
}
