package io.postrider.server.api;

/** Who may call a route. Every route names one, and each is checked before its handler runs. */
public enum Access {
    /** Anyone; whatever credentials say is not looked at. */
    PUBLIC,
    /** Anyone; credentials that are given must be right. */
    PUBLIC_OR_PROVED,
    /** A logged-in developer; sees what is his. */
    DEVELOPER,
    /** An app's server; sees what is the app's. */
    APP,
    /** An app's server, or the developer who owns the app. */
    APP_OR_DEVELOPER,
    /** An app's server, or a device, which sees itself. */
    APP_OR_DEVICE,
    /** A device, for itself. */
    DEVICE
}
