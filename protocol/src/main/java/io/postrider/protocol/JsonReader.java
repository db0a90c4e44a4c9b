package io.postrider.protocol;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.exc.StreamReadException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.function.LongConsumer;

/** Reads typed values from one frame, and turns every way to be wrong into one exception. */
final class JsonReader implements Closeable {
    private final byte[] source;
    private final JsonParser parser;

    JsonReader(byte[] source) {
        this.source = source;
        try {
            this.parser = JsonFrames.FACTORY.createParser(source);
        } catch (IOException e) {
            throw new IllegalStateException("a parser over memory could not be made", e);
        }
    }

    /** Reads what belongs to one name; called with the parser on the value's first token. */
    interface Field {
        /** Whether the name is known; an unknown one's value is skipped. */
        boolean read(String name) throws IOException;
    }

    /** Reads the frame's object, which must be all that there is. */
    void frame(Field field) throws MalformedFrameException {
        try {
            parser.nextToken();
            int[] keys = new int[1];
            object(name -> {
                if (keys[0]++ > 0) {
                    throw new MalformedFrameException("a frame has one key");
                }
                return field.read(name);
            });
            if (parser.nextToken() != null) {
                throw new MalformedFrameException("a frame is one JSON object");
            }
        } catch (MalformedFrameException e) {
            throw e;
        } catch (StreamReadException e) {
            throw new MalformedFrameException(
                    "not the JSON of a frame, at byte " + e.getLocation().getByteOffset());
        } catch (IOException e) {
            throw new MalformedFrameException("not the JSON of a frame");
        }
    }

    void object(Field field) throws IOException {
        expect(JsonToken.START_OBJECT, "an object");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            parser.nextToken();
            if (!field.read(name)) {
                parser.skipChildren();
            }
        }
    }

    String string() throws IOException {
        expect(JsonToken.VALUE_STRING, "a string");
        String text = parser.getText();
        if (!WellFormed.isText(text)) {
            throw new MalformedFrameException(at() + " has half of a surrogate pair");
        }
        return text;
    }

    int integer() throws IOException {
        expect(JsonToken.VALUE_NUMBER_INT, "an integer");
        return parser.getIntValue();
    }

    boolean bool() throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_TRUE) {
            expect(JsonToken.VALUE_FALSE, "true or false");
        }
        return parser.getBooleanValue();
    }

    long id() throws IOException {
        String text = string();
        int length = text.length();
        if (length == 0 || length > 19) {
            throw notAnId();
        }
        for (int i = 0; i < length; i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                throw notAnId();
            }
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw notAnId();
        }
    }

    long time() throws IOException {
        try {
            return Instant.parse(string()).toEpochMilli();
        } catch (DateTimeException | ArithmeticException e) {
            throw new MalformedFrameException(at() + " is no RFC 3339 time in UTC");
        }
    }

    /** The value's bytes as they stand in the frame. */
    String raw() throws IOException {
        int start = (int) parser.currentTokenLocation().getByteOffset();
        parser.skipChildren();
        parser.finishToken();
        int end = (int) parser.currentLocation().getByteOffset();
        return new String(source, start, end - start, StandardCharsets.UTF_8).trim();
    }

    void ids(LongConsumer each) throws IOException {
        array(() -> each.accept(id()));
    }

    void array(Element element) throws IOException {
        expect(JsonToken.START_ARRAY, "an array");
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            element.read();
        }
    }

    /** Reads one element; called with the parser on its first token. */
    interface Element {
        void read() throws IOException;
    }

    private void expect(JsonToken token, String what) throws IOException {
        if (parser.currentToken() != token) {
            throw new MalformedFrameException(at() + " must be " + what);
        }
    }

    private MalformedFrameException notAnId() {
        return new MalformedFrameException(at() + " must be an id: a decimal string");
    }

    private String at() {
        String path = parser.getParsingContext().pathAsPointer().toString();
        return path.isEmpty() ? "a frame" : path;
    }

    @Override
    public void close() {
        try {
            parser.close();
        } catch (IOException e) {
            throw new IllegalStateException("a parser over memory could not be closed", e);
        }
    }
}
