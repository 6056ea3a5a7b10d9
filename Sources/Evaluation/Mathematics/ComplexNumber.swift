import Foundation

/// Complex numbers, as far as answers in mathematics need them.
struct ComplexNumber: Equatable {
    var real: Double
    var imaginary: Double = 0

    static func + (one: Self, other: Self) -> Self {
        Self(real: one.real + other.real, imaginary: one.imaginary + other.imaginary)
    }

    static func * (one: Self, other: Self) -> Self {
        // Real ones apart, so that infinities stay numbers.
        if one.imaginary == 0, other.imaginary == 0 { return Self(real: one.real * other.real) }
        return Self(
            real: one.real * other.real - one.imaginary * other.imaginary,
            imaginary: one.real * other.imaginary + one.imaginary * other.real)
    }

    var magnitude: Double { hypot(real, imaginary) }

    var isReal: Bool { imaginary == 0 }

    /// The principal value.
    var logarithm: Self { Self(real: log(magnitude), imaginary: atan2(imaginary, real)) }

    var exponential: Self {
        if isReal { return Self(real: exp(real)) }
        return Self(real: exp(real) * cos(imaginary), imaginary: exp(real) * sin(imaginary))
    }

    /// The principal value.
    func raised(to exponent: Self) -> Self {
        if exponent == Self(real: 0) { return Self(real: 1) }
        if real == 0, imaginary == 0 { return exponent.real > 0 ? self : Self(real: .nan) }
        if isReal, exponent.isReal, real > 0 || exponent.real == exponent.real.rounded() {
            return Self(real: pow(real, exponent.real))
        }
        if isReal, exponent.real == 0.5, exponent.isReal { return Self(real: 0, imaginary: sqrt(-real)) }
        return (exponent * logarithm).exponential
    }
}

extension MathTerm {
    /// The number that a term is where its variables have values.
    ///
    /// - Parameter variables: nil for a variable without one.
    /// - Returns: nil for what is no number.
    func value(_ variables: (String) -> Double? = { _ in nil }) -> ComplexNumber? {
        switch self {
        case .integer(let digits): return Double(digits).map { ComplexNumber(real: $0) }
        case .rational(let top, let bottom): return ComplexNumber(real: Double(top) / Double(bottom))
        case .decimal(let number): return ComplexNumber(real: number)
        case .constant(.pi): return ComplexNumber(real: .pi)
        case .constant(.e): return ComplexNumber(real: exp(1))
        case .constant(.gamma): return ComplexNumber(real: 0.577_215_664_901_532_9)
        case .constant(.imaginary): return ComplexNumber(real: 0, imaginary: 1)
        case .constant(.infinity): return ComplexNumber(real: .infinity)
        case .symbol(let name): return variables(name).map { ComplexNumber(real: $0) }
        case .percent(let term): return term.value(variables).map { $0 * ComplexNumber(real: 0.01) }
        case .sum(let terms):
            return terms.reduce(ComplexNumber(real: 0)) { sum, term in
                sum.flatMap { sum in term.value(variables).map { sum + $0 } }
            }
        case .product(let terms):
            return terms.reduce(ComplexNumber(real: 1)) { product, term in
                product.flatMap { product in term.value(variables).map { product * $0 } }
            }
        case .power(let base, let exponent):
            guard let base = base.value(variables), let exponent = exponent.value(variables) else { return nil }
            let power = base.raised(to: exponent)
            return power.real.isNaN ? nil : power
        case .function(let name, let arguments):
            let values = arguments.map { $0.value(variables) }
            if name == "det", case .matrix(let rows) = arguments.first { return Self.determinant(rows, variables) }
            guard let numbers = values as? [ComplexNumber] else { return nil }
            return Self.function(name, numbers)
        default: return nil
        }
    }

    private static func determinant(_ rows: [[MathTerm]], _ variables: (String) -> Double?) -> ComplexNumber? {
        guard rows.count == rows[0].count, rows.count <= 6 else { return nil }
        guard rows.count > 1 else { return rows[0][0].value(variables) }
        return rows.indices.reduce(ComplexNumber(real: 0)) { sum, column in
            let minor = rows.dropFirst().map { row in row.indices.filter { $0 != column }.map { row[$0] } }
            guard let sum, let factor = rows[0][column].value(variables), let rest = determinant(minor, variables)
            else { return nil }
            return sum + ComplexNumber(real: column % 2 == 0 ? 1 : -1) * factor * rest
        }
    }

    private static func function(_ name: String, _ arguments: [ComplexNumber]) -> ComplexNumber? {
        guard let first = arguments.first else { return nil }
        // A function that isn't known: some number, the same for the same arguments.
        if name.hasSuffix("()") {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for argument in arguments {
                let text = "\(name) \((argument.real * 1e6).rounded()) \((argument.imaginary * 1e6).rounded())"
                for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            }
            return ComplexNumber(real: 1 + Double(hash >> 11) * 0x1p-53)
        }
        if name == "abs" { return ComplexNumber(real: first.magnitude) }
        if name == "log" {
            let base = arguments.count > 1 ? arguments[1] : ComplexNumber(real: exp(1))
            guard first.magnitude > 0, base.magnitude > 0, base != ComplexNumber(real: 1) else { return nil }
            return first.logarithm * base.logarithm.raised(to: ComplexNumber(real: -1))
        }
        guard arguments.allSatisfy(\.isReal) else { return nil }
        let numbers = arguments.map(\.real)
        let x = numbers[0]
        func whole(_ value: Double) -> Int? { value == value.rounded() && abs(value) < 1e15 ? Int(value) : nil }
        let value: Double? =
            switch name {
            case "sin": sin(x)
            case "cos": cos(x)
            case "tan": tan(x)
            case "csc": 1 / sin(x)
            case "sec": 1 / cos(x)
            case "cot": 1 / tan(x)
            case "asin": asin(x)
            case "acos": acos(x)
            case "atan": atan(x)
            case "acsc": asin(1 / x)
            case "asec": acos(1 / x)
            case "acot": atan(1 / x)
            case "sinh": sinh(x)
            case "cosh": cosh(x)
            case "tanh": tanh(x)
            case "asinh": asinh(x)
            case "acosh": acosh(x)
            case "atanh": atanh(x)
            case "floor": x.rounded(.down)
            case "ceiling": x.rounded(.up)
            case "factorial": tgamma(x + 1)
            case "max": numbers.max()
            case "min": numbers.min()
            case "mod":
                numbers.count == 2 && numbers[1] != 0
                    ? x - numbers[1] * (x / numbers[1]).rounded(.down) : nil
            case "binomial":
                numbers.count == 2
                    ? (tgamma(x + 1) / (tgamma(numbers[1] + 1) * tgamma(x - numbers[1] + 1))).rounded() : nil
            case "gcd", "lcm":
                numbers.map(whole).reduce(name == "gcd" ? 0 : 1) { sum, next -> Int? in
                    guard let sum, let next else { return nil }
                    var (a, b) = (abs(sum), abs(next))
                    while b != 0 { (a, b) = (b, a % b) }
                    return name == "gcd" ? a : a == 0 ? 0 : abs(sum) / a * abs(next)
                }.map(Double.init)
            default: nil
            }
        return value.flatMap { $0.isNaN ? nil : ComplexNumber(real: $0) }
    }
}
