/**
 * JMH benchmarks of the places that every message passes. They tell which change of a line helps;
 * what a message costs as a whole is measured by the module bench.
 */
package io.postrider.bench.micro;
