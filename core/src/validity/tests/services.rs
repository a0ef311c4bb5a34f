//! Services and what leads to them.

use super::mistakes;

#[test]
fn types_of_services() {
    let text = "\
apiVersion: v1
kind: Service
metadata: {name: a}
spec:
  type: LoadBalancer
  clusterIP: 10.0.0.1
  clusterIPs: [10.0.0.1]
  externalIPs: [192.0.2.1]
  externalTrafficPolicy: Local
  ipFamilies: [IPv4, IPv6]
  sessionAffinity: ClientIP
  sessionAffinityConfig: {clientIP: {timeoutSeconds: 86400}}
  trafficDistribution: PreferClose
  ports: [{port: 80, nodePort: 30000, appProtocol: kubernetes.io/h2c}]
";
    mistakes(
        text,
        &[
            ("type: LoadBalancer", "type: NodePort", ""),
            ("type: LoadBalancer", "type: NodePort\n  loadBalancerClass: ^a/b", "valid/bounds"),
            ("type: LoadBalancer", "type: NodePort\n  healthCheckNodePort: ^30000", "valid/bounds"),
            ("type: LoadBalancer", "type: NodePort\n  loadBalancerSourceRanges: ^[10.0.0.0/8]", "valid/bounds"),
            ("type: LoadBalancer", "type: LoadBalancer\n  healthCheckNodePort: 30000", ""),
            ("clusterIP: 10.0.0.1\n  clusterIPs: [10.0.0.1]", "clusterIP: ^None", "valid/bounds"),
            ("clusterIP: 10.0.0.1\n  clusterIPs: [10.0.0.1]", "clusterIP: ^foo", "valid/cidr"),
            ("clusterIPs: [10.0.0.1]", "clusterIPs: [^10.0.0.2]", "valid/bounds"),
            ("[192.0.2.1]", "[^127.0.0.1]", "valid/cidr"),
            ("[IPv4, IPv6]", "[IPv4, ^IPv4]", "valid/duplicate"),
            ("timeoutSeconds: 86400", "timeoutSeconds: ^90000", "valid/bounds"),
            (
                "sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 86400}}",
                "sessionAffinityConfig: {clientIP: {timeoutSeconds: 90000}}",
                "",
            ),
            ("PreferClose", "^Foo", "valid/value"),
            ("kubernetes.io/h2c", "^a b", "valid/name"),
        ],
    );
    let text = "\
apiVersion: v1
kind: Service
metadata: {name: a}
spec:
  externalIPs: [192.0.2.1]
  externalTrafficPolicy: Local
  ports: [{port: 80, nodePort: 0}]
";
    mistakes(
        text,
        &[
            ("nodePort: 0", "nodePort: ^30000", "valid/bounds"),
            (
                "externalIPs: [192.0.2.1]\n  externalTrafficPolicy: Local",
                "externalTrafficPolicy: ^Local",
                "valid/bounds",
            ),
        ],
    );
    let text = "\
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {type: ExternalName, externalName: a.example.org.}
";
    mistakes(
        text,
        &[
            ("{type: ExternalName, externalName: a.example.org.}", "^{type: ExternalName}", "valid/missing"),
            ("a.example.org.", "^a_b", "valid/name"),
            ("a.example.org.", "a.b, clusterIP: ^10.0.0.1", "valid/bounds"),
        ],
    );
}

#[test]
fn ingresses() {
    let text = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a}
spec:
  tls: [{hosts: ['*.example.org', 10.0.0.1]}]
  defaultBackend: {service: {name: a, port: {name: b}}}
  rules: [{http: {paths: [{path: /a, pathType: Exact, backend: {resource: {kind: A, name: b}}}]}}]
";
    mistakes(
        text,
        &[
            ("10.0.0.1", "^A_b", "valid/name"),
            ("port: {name: b}", "port: {name: b, number: ^80}", "valid/bounds"),
            ("port: {name: b}", "port: ^{}", "valid/missing"),
            ("{name: a, port: {name: b}}", "^{name: a}", "valid/missing"),
            ("backend: {resource: {", "backend: {service: {name: a, port: {number: 1}}, resource: ^{", "valid/bounds"),
            ("path: /a,", "path: ^/a//b,", "valid/name"),
            ("path: /a,", "path: /a.b/,", ""),
            ("[{path: /a, pathType: Exact, backend: {resource: {kind: A, name: b}}}]", "^[]", "valid/missing"),
        ],
    );
    let text = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
";
    mistakes(text, &[("[Ingress, Egress]", "^[Ingress, Ingress, Egress]", "valid/bounds")]);
}

#[test]
fn slices_hold_addresses_of_their_family() {
    let text = "\
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a}
addressType: IPv4
endpoints: [{addresses: [10.0.0.1]}]
";
    mistakes(text, &[("10.0.0.1", "^foo", "valid/cidr"), ("10.0.0.1", "^'2001:db8::1'", "valid/cidr")]);
}
