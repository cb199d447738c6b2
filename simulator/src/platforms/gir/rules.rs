//! What this simulator claims about Interaction Recording Web Services, rule by rule, with the
//! grade of the claim and who makes it.

use crate::rules::{Grade, Rule, default_of};

crate::rules::rules! { "gir.":
    MANDATORY = Documented, "insertion.mandatory", "a mandatory field that is missing is refused, \
        so is one that another field's value makes mandatory", "Insertion API, recording, media \
            file and event history descriptors";
    IN_PRACTICE = Documented, "insertion.mandatory_in_practice", "mediaId, parameters, \
        parameters.callUuid, parameters.id, contact.firstName and contact.lastName may be missing, \
        though the solution is not consistent without them", "Insertion API, footnotes of the \
            descriptors";
    ENUMERATIONS = Documented, "insertion.enumerations", "callType, event, contact.type and a \
        mask's type have one of their listed values, in that case", "Insertion API, descriptors \
            and sample";
    STORAGE = Documented, "insertion.storage", "the only storage is webDAV", "Insertion API, media \
        file descriptor";
    TIMES = Documented, "insertion.times", "times are ISO with milliseconds and a numeric zone", "Insertion API, descriptors";
    TIME_SHAPES = Assumed, "insertion.time_shapes", "Z, a zone with a colon, no fraction and a \
        fraction of up to nine digits are taken too", "Z without milliseconds is posted by the \
            vendor's own scripts; the rest is ISO";
    ZONELESS = Assumed, "insertion.zoneless", "a time without a zone is UTC", "the sample prints \
        such times, most by lines that broke", "zoneless = utc";
    TIMES_READ = Observed, "read.times", "every time is answered in UTC as \
        yyyy-MM-ddTHH:mm:ss.SSS+0000", "Search, Playback, and Delete API, sample";
    NOT_VALIDATED = Assumed, "insertion.not_validated", "duration, size, pkcs7, path, phone \
        numbers and the order of times and masks are not looked at; agentId without username is \
        taken; mediaId and eventId need not be unique", "the vendor's own scripts send seconds as \
            duration and ends before starts; uniqueness is the client's duty";
    UNKNOWN_KEYS = Assumed, "insertion.unknown_keys", "keys that no page names are taken; those of \
        parameters are kept, others forgotten", "the vendor's own scripts send such keys; native \
            recordings have such parameters";
    EMPTY = Assumed, "insertion.empty", "null, an empty text and an empty list count as missing; \
        an empty callType is none of its five values", "no page states it";
    JSON_TYPES = Assumed, "insertion.json_types", "a body that is no JSON object, or a value of \
        another JSON type than the page names, is 400 with statusCode 2", "Return Values 8.5.2 has \
            the code, not the case";
    REFUSED_WITH = Assumed, "insertion.refused_with", "a missing field is 400 with statusCode 1, a \
        wrong value 400 with statusCode 2, each naming the field", "Return Values 8.5.2 has the \
            codes; the pair of HTTP status and code is documented for other operations";
    FIRST_WRONG = Assumed, "insertion.first_wrong", "of several wrong fields the first in the \
        page's order is told", "no page states it";
    ACCEPTED_WITH = Observed, "insertion.accepted_with", "an insertion, and a merge, is 200 with \
        statusCode 0 and nothing else", "Insertion API, sample; the vendor's own scripts require \
            200";
    MERGED = Documented, "insertion.merged", "a known id is not refused: the recording is merged \
        with what is posted", "Insertion API, id";
    MERGED_VALUES = Assumed, "insertion.merged_values", "of two values of one field the first \
        stays; a callType that was missing is filled in", "no page says how it is merged", "merged_values = first";
    REPEATED_MEDIA = Assumed, "insertion.repeated_media", "a media file of a mediaId that the \
        recording has becomes a second entry", "no page says how it is merged", "repeated_media = \
            duplicated";
    REPEATED_EVENTS = Assumed, "insertion.repeated_events", "an event that the recording has \
        becomes a second entry", "no page says how it is merged", "repeated_events = duplicated";
    REGION = Documented, "region.hidden", "what has another region than the node that is asked is \
        not found there, by id or by query", "Recording Access, region";
    OTHER_REGION = Assumed, "region.insertion", "an insertion with another region than the node's \
        is taken", "a README of the vendor's says that recordings need a matching region to be \
            submitted properly", "other_region = hidden";
    REGION_NAME = Assumed, "region.name", "the node's region, crRegion, is the vendor's sample's", "the option has no default", "region = Can-West";
    CONTACT_CENTER = Documented, "contact_center.one", "a deployment has a contact centre, whose \
        id stands in every ops path", "Insertion API, prerequisites", "contact_center_id = \
            57c0b771-b57c-4ea8-8655-7ef6d3c58ccc";
    UNKNOWN_CONTACT_CENTER = Assumed, "contact_center.unknown", "an unknown contact centre is 404 \
        with statusCode 6", "Return Values 8.5.2 has the code, not the case";
    FEATURE = Documented, "contact_center.feature", "insertion needs the feature \
        api-supervisor-recording", "Insertion API, required features", "features = \
            [\"api-supervisor-recording\", \"api-voice-recording\", \
            \"schema-elasticsearch-v2-call-recording\"]";
    FEATURE_REFUSED = Assumed, "contact_center.feature_refused", "without the feature a request is \
        403 with statusCode 3", "no page states the refusal";
    BASIC = Documented, "door.basic", "insertion and ops paths take the ops account by Basic \
        authentication, with every request", "Insertion API, authentication";
    NOT_AUTHENTICATED = Assumed, "door.not_authenticated", "a request without the account is 401 \
        with statusCode 20 and WWW-Authenticate", "Return Values 8.5.2 has the code, not the case";
    CSRF = Documented, "door.csrf", "any GET tells a header's name and a token of its session; \
        POST, PUT and DELETE without both and the session's cookie are 403, Missing or invalid \
        Csrf token", "CSRF Protection 8.5.2", "csrf = true";
    CSRF_CODE = Assumed, "door.csrf_code", "that refusal has statusCode 3", "the page states \
        status and words";
    SESSION = Assumed, "door.session", "a session that nobody uses is gone after half an hour; a \
        GET that is refused begins one too", "no page states a time", "limits.session_minutes = 30";
    ORDER = Assumed, "door.order", "a request is held against account, CSRF token, content type, \
        size, contact centre, feature and fields, in this order", "no page states it";
    CONTENT_TYPE = Documented, "door.content_type", "insertion takes application/json only", "Insertion API, request body";
    CONTENT_TYPE_REFUSED = Assumed, "door.content_type_refused", "another content type is 415 with \
        statusCode 2", "no page states the refusal";
    SIZE = Assumed, "door.size", "a request body has at most 2 MiB; a larger one is 413 with \
        statusCode 10", "no limit is published", "limits.max_request_bytes = 2097152";
    READ = Observed, "read.by_id", "the ops account reads a recording by id, in the envelope \
        `recording`", "two programs that read real deployments";
    NO_RECORDING = Documented, "read.not_found", "an unknown id is 404 with statusCode 6, \
        Requested recording [id] cannot be found.", "Non-deletion API, responses";
    READ_SHAPE = Observed, "read.shape", "a recording is answered with start and stop of its \
        media, each file with mediaUri, mediaPath and playPath under a name the server made and \
        originalMediaDescriptor as stored", "Search, Playback, and Delete API, sample; two \
            programs that read real deployments";
    OPS_IS_ADMIN = Assumed, "door.ops_is_admin", "the ops account is let in where a contact centre \
        admin is asked for; without, 403 with statusCode 5, Insufficient user roles.", "pages name \
            roles and one ops account; which may what is not stated", "ops_is_admin = true";
    QUERY_NEEDED = Documented, "query.needs_a_parameter", "a search without any parameter is an \
        error", "Recording Access; call recording API 8.5.0";
    QUERY_NUMBERS = Documented, "query.numbers", "callerPhoneNumber and dialedPhoneNumber are \
        compared by letters and digits alone, case and all, with * as a wildcard", "call recording \
            API 8.5.0";
    QUERY_OTHERS = Assumed, "query.others", "startTime and stopTime bound the recording's start, \
        the second exclusive; userName, callType and label are equal; any other parameter, or a \
        wrong value, is 400 with statusCode 2; results come by start and id", "startTime is \
            listed, its meaning cut off; a silent filter would make an audit wrong";
    QUERY_CAP = Documented, "query.cap", "a search answers at most 100 recordings, as uris unless \
        fields=*", "Recording Access; Return Values 8.5.2", "limits.query_results = 100";
    QUERY_PAGING = Assumed, "query.paging", "paging.next and paging.previous are addresses of \
        pages of as many recordings; capped, the first are told and no word about others", "Search, Playback, and Delete API: pages with links; their shape is not stated, and older versions cut", "paging = paged";
    LABELS = Documented, "labels.definitions", "a label's name is unique, ASCII, told apart by \
        case, and does not begin with __; 201, 400, 403 or 409", "Recording Label API";
    LABEL_PATHS = Assumed, "labels.paths", "labels are put on a recording by POST \
        recordings/{id}/labels with {labels: [{name}]}, taken off by DELETE \
        recordings/{id}/labels/{name}, and told as labels of the recording; an undefined one is \
        404", "Recording Label API lists the operations; their paths and bodies were cut off";
    NON_DELETION = Documented, "non_deletion.apply", "operationName applyNonDelete tags a \
        recording; another name is 400 with statusCode 2", "Non-deletion API";
    REMOVE_NON_DELETION = Assumed, "non_deletion.remove", "removeNonDelete takes the tag off; \
        nonDelete of the recording tells it", "Non-deletion API has an untag operation; its name \
            was cut off";
    DELETE = Assumed, "delete.by_id", "DELETE of a recording's ops path removes what this service \
        holds of it, and leaves the file where it lies", "Recording Access names the operation, \
            not what it removes";
    DELETE_KEPT = Assumed, "delete.non_deletion", "a recording tagged for non-deletion is not \
        deleted: 403 with statusCode 3, Insufficient recording permissions.", "Non-deletion API: \
            not deletable by any method; the refusal is not stated";
    CONTACT_CENTERS = Observed, "contact_center.listed", "the ops account lists contact centres as \
        uris, whose last step is the id", "IRWS, features";
    STORE = Assumed, "contact_center.store", "settings/recordings holds store, a list of webDAV or \
        awsS3, replaced as a whole and told without password and secretKey", "a README of the \
            vendor's for awsS3; webDAV has the same place in all pages";
    VERSION = Observed, "read.version", "diagnostics/version needs no account", "the vendor's own \
        script";
    WEBDAV_BASIC = Documented, "webdav.basic", "the store takes an account of its own by Basic \
        authentication, in the realm user", "WebDAV storage, configuration";
    WEBDAV_METHODS = Documented, "webdav.methods", "the store is WebDAV of class 1 and 2, below \
        /recordings", "WebDAV storage, configuration; RFC 4918";
    WEBDAV_COLLECTION = Documented, "webdav.missing_collection", "a file or collection whose \
        parent is not there is 409", "RFC 4918, sections 9.3.1, 9.7.1 and 9.8.5";
    WEBDAV_DESTINATION = Documented, "webdav.destination", "what is moved or copied to another \
        server is 502", "RFC 4918, section 9.8.5";
    WEBDAV_WHOLE = Assumed, "webdav.whole_uploads", "an upload takes its place whole, with its \
        last byte; one that ends early leaves nothing, and one of a part (Content-Range) is 400", "RFC 9110, section 14.5, for parts; httpd writes beside and renames";
    WEBDAV_PLACES = Assumed, "webdav.places", "a path with a step .. or ., a slash, a backslash, a \
        control character or what is no UTF-8 in a step is 400; a link in the folder is 403", "no page states it; nothing may leave the store";
    WEBDAV_ROOT = Assumed, "webdav.root", "the store's root is neither removed nor moved: 403", "no page states it";
    WEBDAV_ETAG = Observed, "webdav.etag", "an ETag is made from the file, its length and its \
        time, not from its content", "httpd's default";
    SPEECHMINER_POST = Documented, "speechminer.post", "the metadata of an insertion is posted to \
        SpeechMiner too, by who inserts", "Insertion API, re-posting the recordings to SpeechMiner";
    SPEECHMINER_BASIC = Assumed, "speechminer.basic", "the receiver takes an account of its own by \
        Basic authentication; without, 401", "IVR profiles hold a user and a password for it; the \
            rest is not stated";
    SPEECHMINER_BODY = Assumed, "speechminer.body", "the same document as is inserted, as JSON; \
        400 for no JSON and for no id, 413 above the size of an insertion, 415 for another type; \
        nothing else is looked at", "no page states it";
    SPEECHMINER_ANSWER = Assumed, "speechminer.answer", "what is taken is 200 with statusCode 0", "no page states it";
    SPEECHMINER_REPOST = Assumed, "speechminer.repost", "a second post of an id takes the place of \
        the first", "no page states it", "speechminer.repost = replace";
    SPEECHMINER_READS = Assumed, "speechminer.reads", "what was posted is read by GET \
        recordings/{id} and recordings?after=&limit=, for the tests of this simulator and its \
        verifier", "a real one has no such paths";
    PURGE = Documented, "purge.rules", "lifecycle management deletes recordings by age, call type \
        and labels, and never those tagged for non-deletion", "Media lifecycle management; \
            Recording Lifecycle Scheduler; Non-deletion API", "purge.rules = one for each \
                retention class";
    PLAY = Observed, "read.play", "a media file is played under the name the server made for it, \
        for the ops account and for users", "Search, Playback, and Delete API, sample; two \
            programs that read real deployments";
    PLAY_STORED = Assumed, "read.play_stored", "what is played is the file as it is stored, \
        encrypted or not, or the part of it that is asked for; 404 where the store has none", "no page states it; decryption is the crypto server's";
    PURGE_AGE = Assumed, "purge.age", "a recording goes at the earliest rule that fits it, its age \
        counted in days of 24 hours from its start; a rule without a call type is for all, NotSet \
        for those that state none", "the scheduler counts an age in days; from when is not stated";
    PURGE_TIME = Assumed, "purge.time", "lifecycle management runs once a day, at midnight UTC, \
        and takes a recording from RWS, the store and SpeechMiner at once", "a daily time in UTC \
            is set; which is the site's", "purge.every_minutes = 1440";
    INDEX = Assumed, "index.delay", "a search finds a recording as soon as it is inserted; by its \
        id it is always read at once", "two stores without a transaction; how far one is behind is \
            not stated", "index.delay_ms = 0";
    INDEX_WRITES = Assumed, "index.writes", "a recording that no search finds yet takes neither \
        labels nor non-deletion: 404", "both need the index's schema; what it does without an \
            entry is not stated", "index.writes_need_index = true";
    PRIVACY = Documented, "privacy.fields", "fields that metadata.privacy lists, of agents and of \
        customers, are left out of what is read", "Settings API, metadata.privacy", "privacy.agent_fields = []";
    PRIVACY_CUSTOMERS = Assumed, "privacy.places", "agents' fields are left out of users' \
        contacts, customers' out of external ones, both out of the recording, its parameters and \
        its data", "the page lists names, not where they stand", "privacy.customer_fields = []";
    PRIVACY_OPS = Assumed, "privacy.ops", "the ops account's own paths leave nothing out", "no page states it", "privacy.ops_sees_all = true";
    CERTIFICATES = Documented, "encryption.certificates", "media may be encrypted for certificates \
        of RSA 2048 or more", "Encryption; Managing certificates", "encryption.certificates = 0";
    KEYS = Assumed, "encryption.keys", "the keys are handed to a verifier, as a site's crypto \
        server would decrypt for it", "keys stay in the crypto server's key store", "encryption.hand_over_key = true";
    EXPORTS = Documented, "exports.archive", "the crypto server archives each recording as contact \
        centre/tenant/day/id/recording.json", "Archiving";
    WEBDAV_LISTING = Assumed, "webdav.listing", "a listing of infinite depth, or of none stated, \
        is 403", "RFC 4918, section 9.1, lets a server refuse it; httpd does unless told otherwise";
}
