/**
 * The settings of a server: typed, validated, documented. The only reader of environment and
 * properties. No threads; knows nobody.
 */
@NullMarked
package io.postrider.server.config;

import org.jspecify.annotations.NullMarked;
