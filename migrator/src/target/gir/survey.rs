//! Does the plan fit this deployment? Reads only.

use plan::{LoadedPlan, PurgeRule, UnmappedAgent};
use platforms::CallError;

use super::{Gir, retention};
use crate::error::RunError;
use crate::target::{Finding, error, note};

impl Gir {
    /// Looks at the plan and at the three stores.
    pub(super) async fn survey_stores(
        &self,
        plan: &LoadedPlan,
        findings: &mut Vec<Finding>,
    ) -> Result<(), RunError> {
        findings.extend(nameless(plan).into_iter().map(error));
        findings.extend(short_lives(plan));
        let known = self.rws.contact_centers().await.map_err(RunError::Target)?;
        if !known.contains(&self.contact_center) {
            let there = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            findings.push(error(format!(
                "target.contact_center_id {} is not known there; the target has {there}",
                self.contact_center
            )));
        }
        let root = self.webdav.url(&[]).map_err(RunError::Target)?;
        match self.webdav.list(&root).await {
            Ok(Some(_)) => {}
            Ok(None) => findings.push(error(
                "target.webdav_url is not there; create the collection or correct the URL"
                    .to_owned(),
            )),
            // Listing may be off where putting is not.
            Err(CallError::Refused {
                status: 403 | 405 | 501,
                ..
            }) => {
                findings.push(note(
                    "the WebDAV store lists nothing to us; files left over by \
                    others cannot be told"
                        .to_owned(),
                ));
            }
            Err(other) => return Err(RunError::Target(other)),
        }
        if self.speechminer.is_none() {
            findings.push(note(
                "the plan names no speechminer_url: recordings will not be seen in SpeechMiner"
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// Rows of the agents' table that do not say who somebody is here, and a fallback user on no row.
fn nameless(plan: &LoadedPlan) -> Vec<String> {
    let file = plan.plan.mapping.agents.display();
    let rows = &plan.mapping.agents;
    let mut list: Vec<String> = rows
        .iter()
        .filter(|row| row.gir_username().is_none() || row.gir_login().is_none())
        .map(|row| {
            format!(
                "{file} line {}: gir_username and gir_login are needed for kind = \"gir\"",
                row.line
            )
        })
        .collect();
    if let UnmappedAgent::Fallback(user) = plan.plan.rules.unmapped_agent
        && !rows.iter().any(|row| row.genesys_user_id == user)
    {
        list.push(format!(
            "rules.unmapped_agent: the fallback user {user} stands on no row of {file}, so nothing \
             says who that is here; add a row with legacy_agent_id `*`"
        ));
    }
    list
}

/// Shortest that a year can be: a rule that comes before so many of them deletes every call of the
/// class too early. Days.
const YEAR_DAYS: i64 = 365;

/// Purge rules of the site that delete before a class has ended, or never. Source:
/// docs/reference/plan.md, `[[retention.gir_rule]]`.
fn short_lives(plan: &LoadedPlan) -> Vec<Finding> {
    let kept = &plan.plan.retention;
    if kept.class.is_empty() {
        return Vec::new();
    }
    if kept.gir_rule.is_empty() {
        let text = "no [[retention.gir_rule]] declares the site's purge rules: nobody can tell \
            when anything is deleted";
        return vec![note(text.to_owned())];
    }
    let mut findings = Vec::new();
    for (name, class) in &kept.class {
        let label = retention::class_label(name);
        let fits = |rule: &&PurgeRule| rule.label.as_ref().is_none_or(|wanted| *wanted == label);
        let rules = || kept.gir_rule.iter().filter(fits);
        if let Some(early) = rules().find(|rule| rule.after_days < class.years * YEAR_DAYS) {
            let text = format!(
                "a purge rule of the site deletes after {} days, before retention.class.\"{name}\" \
                 has ended ({} years); correct the rule there and here",
                early.after_days, class.years
            );
            findings.push(error(text));
        } else if !rules().any(|rule| rule.call_type.is_none()) {
            findings.push(note(format!(
                "no purge rule of the site deletes every call of \
                    retention.class.\"{name}\": some are kept for ever"
            )));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::gir::recording::testing;

    fn said(tables: &str) -> Vec<(bool, String)> {
        let plan = testing::plan(tables);
        short_lives(&plan)
            .into_iter()
            .map(|finding| (finding.is_error, finding.text))
            .collect()
    }

    #[test]
    fn a_rule_that_deletes_before_the_law_allows_forbids_the_run() {
        let class = "[retention.class.Five]\nyears = 5\n";
        let rule = |days: u32, rest: &str| {
            format!("{class}[[retention.gir_rule]]\nafter_days = {days}\n{rest}")
        };
        assert!(said("").is_empty());
        assert_eq!(said(class).len(), 1, "nobody can tell");
        assert!(said(&rule(1827, "")).is_empty());
        assert!(said(&rule(1827, "label = \"st-ret-Five\"\n")).is_empty());
        let early = said(&rule(1000, ""));
        assert!(
            early[0].0 && early[0].1.contains("1000 days") && early[0].1.contains("Five"),
            "{early:?}"
        );
        assert!(said(&rule(1000, "call_type = \"Inbound\"\n"))[0].0);
        assert!(
            !said(&rule(1000, "label = \"st-ret-Six\"\n"))[0].0,
            "another class's rule; nothing deletes this one"
        );
        assert!(!said(&rule(1827, "call_type = \"Inbound\"\n"))[0].0);
    }

    #[test]
    fn an_agent_without_names_is_told_by_its_line() {
        let plan = testing::plan("");
        assert!(nameless(&plan).is_empty());
        let mut without = plan;
        without.mapping.agents[0].target_columns.remove("gir_login");
        assert_eq!(
            nameless(&without),
            ["agents.csv line 2: gir_username and gir_login are needed for kind = \"gir\""]
        );
    }
}
