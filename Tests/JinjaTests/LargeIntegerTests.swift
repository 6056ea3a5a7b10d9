import JSON
import Jinja
import Testing

/// Integers beyond 64 bits, as limits in tools' schemas are. The texts are those of Jinja2 3.1.6.
@Suite struct LargeIntegerTests {
    private static let variables = #"""
        {"u": 18446744073709551615, "n": -9223372036854775809, "h": 340282366920938463463374607431768211456,
         "i": 9223372036854775807, "d": 1e20, "e": 100000000000000000000, "inf": Infinity, "nan": NaN}
        """#

    private func render(_ source: String) throws -> String {
        guard case .object(let variables) = try JSONParser.parse(Self.variables) else { return "" }
        return try JinjaTemplate(source, name: "case").render(variables)
    }

    @Test(
        "print, serialise and compare as in Python",
        arguments: [
            (
                "{{ u }} {{ n }} {{ h }}",
                "18446744073709551615 -9223372036854775809 340282366920938463463374607431768211456"
            ),
            ("{{ [u, n] | tojson }}", "[18446744073709551615, -9223372036854775809]"),
            ("{{ {'a': u, u: 1} }}", "{'a': 18446744073709551615, 18446744073709551615: 1}"),
            ("{{ u is integer }} {{ u is number }} {{ u is float }} {{ u is string }}", "True True False False"),
            (
                "{{ u > i }} {{ n < i }} {{ n < -i }} {{ h > u }} {{ u < n }} {{ n > n }}",
                "True True True True False False"
            ),
            (
                "{{ u == u }} {{ u == i }} {{ d == e }} {{ e == d }} {{ e < d }} {{ u < d }} {{ d > u }}",
                "True False True True False True True"
            ),
            ("{{ h < inf }} {{ h > inf }} {{ n < 0.5 }} {{ u < 0.5 }} {{ h < nan }}", "True False True False False"),
            (
                "{{ -u }} {{ +u }} {{ -n }} {{ u | abs }} {{ n | abs }}",
                "-18446744073709551615 18446744073709551615 9223372036854775809 18446744073709551615 9223372036854775809"
            ),
            (
                "{{ u | int }} {{ '18446744073709551616' | int }} {{ d | int }} {{ u | string | length }}",
                "18446744073709551615 18446744073709551616 100000000000000000000 20"
            ),
            (
                "{{ u | float }} {{ u / 2.0 }} {{ u * 1.0 }}",
                "1.8446744073709552e+19 9.223372036854776e+18 1.8446744073709552e+19"
            ),
            (
                "{{ '%d %s %.1f' | format(u, u, u) }}",
                "18446744073709551615 18446744073709551615 18446744073709551616.0"
            ),
            ("{{ '{:,} {:>25}'.format(u, u) }}", "18,446,744,073,709,551,615      18446744073709551615"),
            (
                "{{ [h, 1, u, n, d] | sort }}",
                "[-9223372036854775809, 1, 18446744073709551615, 1e+20, 340282366920938463463374607431768211456]"
            ),
            (
                "{{ {d: 1}[e] }} {{ u in [1, u] }} {{ 'x' if u else 'y' }} {{ u ~ '!' }}",
                "1 True x 18446744073709551615!"
            ),
        ])
    func texts(_ source: String, _ expected: String) throws {
        #expect(try render(source) == expected)
    }

    @Test(
        "arithmetic ends at 64 bits",
        arguments: ["{{ u + 1 }}", "{{ u * u }}", "{{ 1 - n }}", "{{ u % 2 }}", "{{ u // true }}"])
    func arithmetic(_ source: String) {
        #expect(throws: JinjaError.self) { try render(source) }
    }
}
