//! What is claimed about writes to the directory.

use crate::platforms::genesys_cloud::rules::rules;
use crate::rules::{Grade, Rule, default_of};

rules! {
    MADE = Documented, "directory.made", "POST makes a user, queue, wrap-up code, skill or \
        division and answers 200 with it", "platform API, POST users, routing/queues, \
            routing/wrapupcodes, routing/skills, authorization/divisions";
    MADE_AT_ONCE = Assumed, "directory.made_at_once", "what was made is at once in lists, by its \
        id and good in events, uploads and policies", "no page says how soon";
    NAME_TAKEN = Documented, "directory.name_taken", "a taken name of a queue or wrap-up code is \
        400 duplicate.name, of a skill 409 general.conflict, of a division 409 \
        resource.already.exists; a taken e-mail address of a user is 409 general.conflict", "platform API, error codes of these operations";
    NAME_COMPARED = Assumed, "directory.name_compared", "names and e-mail addresses are compared \
        in any case of letters, and deleted users keep theirs", "the codes exist; no page says \
            what counts as the same";
    NAME_EMPTY = Documented, "directory.name_empty", "an empty name of a queue or wrap-up code is \
        400 invalid.name, of a division 400 division.name.invalid", "platform API, error codes of \
            these operations; of users and skills general.bad.request and bad.request are assumed";
    DIVISION_OF_MADE = Assumed, "directory.division", "a queue or wrap-up code that names no \
        division stands in the home division; an unknown division is 400 resource.not.found, for a \
        user general.bad.request, and one that the role does not cover 403 \
        missing.division.permission", "the codes exist; no page says the default";
    USER_STATE = Documented, "directory.user_state", "a user made without a state is inactive, as \
        no invitation is sent here", "platform API, CreateUser: active if invites are sent, \
            otherwise inactive";
    USER_VERSION = Documented, "directory.user_version", "PATCH on a user needs its present \
        version, else 400 general.conflict; each change raises it", "platform API, UpdateUser and \
            PATCH users/{userId}";
    USER_STATE_ALONE = Documented, "directory.user_state_alone", "a PATCH that changes a user's \
        state changes nothing else", "platform API, UpdateUser: if specified, it is the only \
            modifiable field";
    USER_FIELDS = Assumed, "directory.user_fields", "a user's name, preferredName, email, \
        username, department, title, addresses and acdAutoAnswer are kept; any other field of \
        UpdateUser is 400, never dropped; an e-mail address needs an @ with something on both \
        sides", "limit of this simulator";
    USER_DELETED = Assumed, "directory.user_deleted", "a deleted user stays with the state deleted \
        and can be brought back by its state; deleting it again is 400 general.conflict", "platform API, UpdateUser.state restores deleted users; DELETE users/{userId} names the code and no case";
    QUEUE_KEPT = Assumed, "directory.queue_kept", "every field of a queue is kept and shown as it \
        was sent, and routes nothing; PUT replaces them all, but leaves the division where none is \
        named; sourceQueueId copies what was kept of that queue", "the body is a whole queue; no \
            page states what absence means";
    TIES = Assumed, "directory.ties", "no user is a member of a queue or has a routing skill, and \
        there are no languages", "limit of this simulator: its world ties users to neither";
}
