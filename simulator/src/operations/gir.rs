//! Operations of Genesys Interaction Recording: its web services, its store of media and its
//! SpeechMiner.

use super::operations;

operations! {
    GIR_INDEX_RECORDING = "gir.index_recording", "-", "-", "id", false;
    GIR_INSERT_RECORDING = "gir.insert_recording", "POST", "/internal-api/contact-centers/{ccid}/recordings", "id", true, needs ["ops"];
    GIR_GET_RECORDING = "gir.get_recording", "GET", "/api/v2/ops/contact-centers/{ccid}/recordings/{id}", "recording id in the path", false, needs ["ops"];
    GIR_DELETE_RECORDING = "gir.delete_recording", "DELETE", "/api/v2/ops/contact-centers/{ccid}/recordings/{id}", "recording id in the path", true, needs ["ops"];
    GIR_QUERY_RECORDINGS = "gir.query_recordings", "GET", "/api/v2/ops/contact-centers/{ccid}/recordings", "-", false, needs ["ops"], query ["callerPhoneNumber", "dialedPhoneNumber", "startTime", "stopTime", "userName", "callType", "label", "fields", "offset"];
    GIR_PLAY_MEDIA = "gir.play_media", "GET", "/api/v2/ops/contact-centers/{ccid}/recordings/{id}/play/{name}", "recording id in the path", false, needs ["ops"];
    GIR_PLAY_MEDIA_FOR_USER = "gir.play_media_for_user", "GET", "/api/v2/recordings/{id}/play/{name}", "recording id in the path", false, needs ["admin"];
    GIR_SHOW_RECORDING = "gir.show_recording", "GET", "/api/v2/recordings/{id}", "recording id in the path", false, needs ["admin"];
    GIR_SEARCH_RECORDINGS = "gir.search_recordings", "GET", "/api/v2/recordings", "-", false, needs ["admin"], query ["callerPhoneNumber", "dialedPhoneNumber", "startTime", "stopTime", "userName", "callType", "label", "fields", "offset"];
    GIR_CHANGE_RECORDING = "gir.change_recording", "POST", "/api/v2/recordings/{id}", "recording id in the path", true, needs ["admin"];
    GIR_CREATE_LABEL = "gir.create_label", "POST", "/api/v2/recording-label-definitions", "name", true, needs ["admin"];
    GIR_LIST_LABELS = "gir.list_labels", "GET", "/api/v2/recording-label-definitions", "-", false, needs ["admin"];
    GIR_ADD_LABELS = "gir.add_labels", "POST", "/api/v2/recordings/{id}/labels", "recording id in the path", true, needs ["admin"];
    GIR_GET_LABELS = "gir.get_labels", "GET", "/api/v2/recordings/{id}/labels", "recording id in the path", false, needs ["admin"];
    GIR_REMOVE_LABEL = "gir.remove_label", "DELETE", "/api/v2/recordings/{id}/labels/{label}", "recording id in the path", true, needs ["admin"];
    GIR_LIST_CONTACT_CENTERS = "gir.list_contact_centers", "GET", "/api/v2/ops/contact-centers", "-", false, needs ["ops"];
    GIR_GET_STORE = "gir.get_store", "GET", "/api/v2/ops/contact-centers/{ccid}/settings/recordings", "-", false, needs ["ops"];
    GIR_UPDATE_STORE = "gir.update_store", "PUT", "/api/v2/ops/contact-centers/{ccid}/settings/recordings", "-", true, needs ["ops"];
    GIR_GET_VERSION = "gir.get_version", "GET", "/api/v2/diagnostics/version", "-", false;
    WEBDAV_PUT_FILE = "webdav.put_file", "PUT", "/recordings/{path}", "file name in the path", true;
    WEBDAV_GET_FILE = "webdav.get_file", "GET", "/recordings/{path}", "file name in the path", false;
    WEBDAV_HEAD_FILE = "webdav.head_file", "HEAD", "/recordings/{path}", "file name in the path", false;
    WEBDAV_MAKE_COLLECTION = "webdav.make_collection", "MKCOL", "/recordings/{path}", "collection's name in the path", true;
    WEBDAV_MOVE_FILE = "webdav.move_file", "MOVE", "/recordings/{path}", "file name in the destination", true;
    WEBDAV_COPY_FILE = "webdav.copy_file", "COPY", "/recordings/{path}", "file name in the destination", true;
    WEBDAV_DELETE_FILE = "webdav.delete_file", "DELETE", "/recordings/{path}", "file name in the path", true;
    WEBDAV_LIST = "webdav.list", "PROPFIND", "/recordings/{path}", "name in the path", false;
    WEBDAV_OTHER = "webdav.other", "OPTIONS, LOCK, UNLOCK, PROPPATCH", "/recordings/{path}", "name in the path", true;
    SPEECHMINER_POST_RECORDING = "speechminer.post_recording", "POST", "/interactionreceiver", "id", true;
    SPEECHMINER_GET_RECORDING = "speechminer.get_recording", "GET", "/interactionreceiver/recordings/{id}", "recording id in the path", false;
    SPEECHMINER_LIST_RECORDINGS = "speechminer.list_recordings", "GET", "/interactionreceiver/recordings", "-", false, query ["after", "limit"];
}
