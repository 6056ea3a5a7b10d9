import Foundation
import JSON
import Jinja
import Testing

/// How much longer than usual a test may take: sanitizers slow down what they watch, and Tools/sanitize.sh says how much.
private let patience = Double(ProcessInfo.processInfo.environment["C2C_VK_TEST_PATIENCE"] ?? "") ?? 1

private func failure(_ source: String, _ limits: JinjaLimits = JinjaLimits()) -> JinjaError? {
    do {
        _ = try JinjaTemplate(source, name: "t").render(
            ["text": .string("abc"), "values": .array([.integer(1), .integer(2)])], limits: limits)
        return nil
    } catch {
        return error as? JinjaError
    }
}

/// Templates come from strangers.
@Suite struct LimitTests {
    @Test(
        "A template that asks for too much is stopped",
        arguments: [
            "{{ 'x' * 10 ** 12 }}",
            "{{ [1] * 10 ** 12 }}",
            "{{ range(10 ** 9) }}",
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "{% for a in range(99999) %}{% for b in range(99999) if false %}{% endfor %}{% endfor %}",
            "{% set ns = namespace(s='0123456789abcdef') %}{% for i in range(40) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s | tojson }}",
            "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.s == ns.t }}",
            "{% set ns = namespace(s=(1,)) %}{% for i in range(60) %}{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
            "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
            "{{ '%1000000000d' % 5 }}",
            "{{ '{:1000000000}'.format(5) }}",
            "{{ 'x'.center(10 ** 12) }}",
            "{{ 'x' | center(10 ** 12) }}",
            "{{ 'a' | indent(10 ** 12) }}",
            "{{ ('x' * 1000000).replace('x', 'y' * 1000000) }}",
            "{{ ('y' * 1000000).join(range(99999) | map('string')) }}",
            "{% set s = ' ' * 8000000 %}{% for i in range(99999) %}{% set t = s | trim %}{% endfor %}",
            "{% set s = 'x' * 8000000 %}{% for i in range(99999) %}{% set t = s | length %}{% endfor %}",
            "{% set s = 'x' * 8000000 %}{% for i in range(99999) %}{% set t = {s: 1} %}{% endfor %}",
            "{% set s = 'x' * 4000000 %}{{ ([s] * 1000) | sort | length }}",
            "{{ ('\\t' * 1000000).expandtabs(1000) }}",
            "{% set ns = namespace(s=[1]) %}{% for i in range(9999) %}{% set ns.s = ns.s | select %}{% endfor %}",
            "{% for i in range(99999) %}{% set t = range(99999) | map('string') | list %}{% endfor %}",
            "{{ '%*d' % (-9223372036854775807 - 1, 5) }}",
            "{{ ['a'] | batch(10 ** 12, 'x') | list }}",
            "{{ 2 ** 63 }}", "{{ 10 ** 10 ** 10 }}",
            "{{ [1, [2]] | tojson(indent='x' * 9000000) }}",
            "{% for i in range(99999) %}{{ 'x' * 1000000 }}{% endfor %}",
            "{% for i in range(99999) %}{% set x = 'x' * 1000000 %}{{ x | length }}{% endfor %}",
            "{{ '\(String(repeating: "(", count: 100_000))' \(String(repeating: "(", count: 100_000)) }}",
            "\(String(repeating: "{% if 1 %}", count: 100_000))",
            "{{ \(String(repeating: "[", count: 100_000)) }}",
            "{{ \(String(repeating: "not ", count: 100_000)) 1 }}",
            "{{ \(String(repeating: "-", count: 100_000)) 1 }}",
            "{{ \(String(repeating: "1 if 1 else ", count: 100_000)) 1 }}",
            "{{ \(String(repeating: "1 ** ", count: 100_000)) 1 }}",
            "{{ 1 \(String(repeating: "+ 1 ", count: 100_000)) }}",
            "{{ x\(String(repeating: ".a", count: 100_000)) }}",
            "{{ x\(String(repeating: "|upper", count: 100_000)) }}",
        ])
    func excess(_ source: String) {
        let start = Date()
        let error = failure(source)
        #expect(error != nil)
        #expect(Date().timeIntervalSince(start) < 5 * patience)
    }

    @Test("Long sequences take time in proportion")
    func longSequences() throws {
        let start = Date()
        let template = try JinjaTemplate(
            "{{ range(99999) | map('string') | select | list | length }} {{ range(99999) | groupby('x', 0) | length }} "
                + "{{ '-abc'.zfill(-9223372036854775807 - 1) }} {{ 'abc' | truncate(9223372036854775807) }}",
            name: "t")
        #expect(try template.render([:]) == "99999 1 -abc abc")
        #expect(Date().timeIntervalSince(start) < 5 * patience)
    }

    @Test("A namespace that holds itself is taken apart, and prints")
    func cycle() throws {
        let template = try JinjaTemplate(
            "{% set ns = namespace() %}{% set ns.me = ns %}{% set ns.list = [ns] %}{{ ns }}", name: "t")
        #expect(try template.render([:]).contains("Namespace"))
    }

    @Test("An error names its line and column")
    func places() {
        #expect(failure("a\n{{ missing.x }}")?.description == "t:2:11: 'missing' is undefined")
        #expect(failure("{{ 1 +\n  }}")?.line == 2)
        #expect(failure("line\n  {% nope %}").map { ($0.line, $0.column) }.map { "\($0)" } == "(2, 6)")
        #expect(failure("{% if a %}\n\n{{ text | nofilter }}{% endif %}{{ text | nofilter }}")?.line == 3)
        let raised = failure("é{{ raise_exception('Only ' ~ 1) }}")
        #expect(raised?.kind == .raised)
        #expect(raised?.message == "Only 1")
        #expect(failure("{{ raise_exception() }}")?.kind == .runtime)
    }

    @Test("The time is the local one, as strftime writes it")
    func time() throws {
        let template = try JinjaTemplate("{{ strftime_now('%Y %%') }}", name: "t")
        #expect(try template.render([:], now: 1_700_000_000) == "2023 %")
    }

    @Test("Bytes changed at random give a text or an error, never a crash")
    func mutations() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let cases = try JSONParser.parse(
            String(contentsOf: folder.appending(path: "Fixtures/jinja/cases.json"), encoding: .utf8))
        guard case .object(let fixture) = cases, case .array(let elements) = fixture["cases"],
            case .object(let variables) = fixture["variables"]
        else {
            Issue.record("no cases")
            return
        }
        var generator = SplitMix(state: 7)
        let scraps = [
            "{%", "%}", "{{", "}}", "|", "(", ")", "[", "]", "'", "\"", "-", "is", "for", "in", ".", ",", "{", "~",
        ]
        var (texts, errors) = (0, 0)
        for element in elements {
            guard case .object(let object) = element, case .string(let source) = object["source"] else { continue }
            for _ in 0..<40 {
                var scalars = Array(source.unicodeScalars)
                for _ in 0...Int(generator.next() % 4) {
                    let place = Int(generator.next() % UInt64(scalars.count + 1))
                    switch generator.next() % 3 {
                    case 0 where place < scalars.count: scalars.remove(at: place)
                    case 1:
                        scalars.insert(
                            contentsOf: scraps[Int(generator.next() % UInt64(scraps.count))].unicodeScalars, at: place)
                    default:
                        let other = Int(generator.next() % UInt64(scalars.count + 1))
                        scalars += Array(scalars[min(place, other)..<max(place, other)])
                    }
                }
                var limits = JinjaLimits()
                limits.steps = 20_000
                do {
                    _ = try JinjaTemplate(String(String.UnicodeScalarView(scalars)), name: "t")
                        .render(variables, limits: limits)
                    texts += 1
                } catch {
                    #expect(error is JinjaError)
                    errors += 1
                }
            }
        }
        #expect(texts > 500 && errors > 500)
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
