package io.postrider.server.api;

/** The catalogue of errors. The words are stable: callers decide by them. */
enum ErrorCode {
    REQUEST_MALFORMED("request.malformed", 400, "The request cannot be read"),
    UNKNOWN_FIELD("request.unknown_field", 400, "The request has a field that does not exist"),
    INVALID_VALUE("request.invalid_value", 400, "A value is not allowed"),
    MISSING_VALUE("request.missing_value", 400, "A value is missing"),
    BODY_TOO_LARGE("request.too_large", 413, "The body is too large"),
    REQUEST_TIMEOUT("request.timeout", 408, "The request did not come in time"),
    URI_TOO_LONG("request.uri_too_long", 414, "The path and query are too long"),
    HEADERS_TOO_LARGE("request.headers_too_large", 431, "The headers are too large"),
    NOT_JSON("request.not_json", 415, "The body must be application/json"),
    PAGE_TOO_LARGE("page.too_large", 400, "The page is too large"),
    CURSOR_INVALID("page.cursor_invalid", 400, "The cursor is none that was answered"),
    UNAUTHORIZED("auth.required", 401, "Credentials are missing or wrong"),
    LOGIN_WRONG("login.wrong", 401, "Name or password is wrong"),
    LOGIN_LIMITED("login.limited", 429, "Too many failed logins"),
    CSRF("auth.csrf", 403, "A cookie alone may not change anything"),
    NOT_FOUND("not_found", 404, "There is no such thing"),
    METHOD_NOT_ALLOWED("method.not_allowed", 405, "The path has no such method"),
    NAME_TAKEN("developer.name_taken", 409, "The name is taken"),
    PASSWORD_WEAK("developer.password_weak", 400, "The password is too weak"),
    SIGN_UP_CODE_WRONG("developer.code_wrong", 403, "The first developer needs the code"),
    SIGN_UP_CLOSED("developer.closed", 403, "Nobody may sign up here"),
    ORIGIN_REFUSED("origin.refused", 403, "The app does not allow pages of this origin"),
    DEVICE_EXISTS("device.exists", 409, "The deviceId is taken"),
    DEVICE_UNKNOWN("device.unknown", 400, "The app has no such device"),
    DEVICE_USER_NEEDS_PROOF("device.user_needs_proof", 403, "A user must be proved"),
    DEVICE_TAGS_NEED_PROOF("device.tags_need_proof", 403, "The app sets tags, not the device"),
    REGISTRATION_LIMITED("device.registration_limited", 429, "Too many registrations"),
    AUDIENCE_EMPTY("audience.empty", 400, "A list in the audience is empty"),
    AUDIENCE_TOO_LARGE("audience.too_large", 400, "A list in the audience is too long"),
    MESSAGE_EMPTY("message.empty", 400, "The message has neither notification nor data"),
    OPTION_NOT_SUPPORTED("option.not_supported", 400, "The option is not built yet"),
    IDEMPOTENCY_OTHER_BODY("idempotency.other_body", 409, "The key was used for another body"),
    QUOTA_EXCEEDED("quota.exceeded", 429, "The app has taken what it may"),
    OVERLOADED("overloaded", 503, "The server has more to do than it can"),
    UNAVAILABLE("unavailable", 503, "The server cannot take this now"),
    INTERNAL("internal", 500, "The server failed");

    final String code;
    final int status;
    final String title;

    ErrorCode(String code, int status, String title) {
        this.code = code;
        this.status = status;
        this.title = title;
    }
}
