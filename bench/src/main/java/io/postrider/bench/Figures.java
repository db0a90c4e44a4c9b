package io.postrider.bench;

import java.util.LinkedHashMap;
import java.util.Map;

/** What one run of a scenario found, in the order in which it is told. */
public final class Figures {
    private final Map<String, Object> values = new LinkedHashMap<>();

    public Figures put(String name, long value) {
        values.put(name, value);
        return this;
    }

    public Figures put(String name, String value) {
        values.put(name, value);
        return this;
    }

    /** Rounded to three digits that count. */
    public Figures put(String name, double value) {
        if (!Double.isFinite(value) || value == 0) {
            values.put(name, 0.0);
            return this;
        }
        double scale = Math.pow(10, 2 - Math.floor(Math.log10(Math.abs(value))));
        values.put(name, Math.round(value * scale) / scale);
        return this;
    }

    public Figures putAll(Figures others) {
        values.putAll(others.values);
        return this;
    }

    public double number(String name) {
        return values.get(name) instanceof Number number ? number.doubleValue() : Double.NaN;
    }

    public Map<String, Object> values() {
        return values;
    }
}
