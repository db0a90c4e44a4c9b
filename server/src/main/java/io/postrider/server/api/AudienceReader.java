package io.postrider.server.api;

import io.postrider.server.api.PublishBody.AudienceBody;
import io.postrider.server.api.PublishBody.Kinds;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;

/** Reads an audience: the word "all", or an object. */
final class AudienceReader extends ValueDeserializer<AudienceBody> {
    @Override
    public AudienceBody deserialize(JsonParser parser, DeserializationContext context) {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            if (parser.getString().equals("all")) {
                return new AudienceBody("\"all\"", true, null);
            }
        } else if (parser.currentToken() == JsonToken.START_OBJECT) {
            Kinds kinds = context.readValue(parser, Kinds.class);
            return new AudienceBody(Json.writeText(kinds), false, kinds);
        }
        return (AudienceBody) context.handleUnexpectedToken(AudienceBody.class, parser);
    }
}
