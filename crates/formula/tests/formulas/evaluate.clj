;; Evaluates formulas with Clojure itself, for the differential test: a line `["formula" {"variable" value}]` on
;; standard input is answered by a line `= printed` or `! why` on standard output.
(require '[clojure.string :as str] '[clojure.set :as set] '[clojure.math :as math] '[clojure.walk :as walk])

;; Formulas have it without a namespace.
(defn round [number] (math/round number))

(defn symbols [form]
  (filter symbol? (tree-seq #(or (coll? %) (seq? %)) #(if (map? %) (mapcat identity %) (seq %)) form)))

(defn variable? [symbol]
  (and (nil? (namespace symbol))
       (not (special-symbol? symbol))
       (not (str/includes? (name symbol) "."))
       (not= '& symbol)
       (nil? (resolve symbol))))

;; As it is outside of a prompt.
(alter-var-root #'*print-namespace-maps* (constantly false))
(set! *print-namespace-maps* false)

;; Variables are looked up, so that the compiler knows no more of their types than it does of a loan's.
(defn value [formula context]
  (let [form (read-string formula)
        names (filter variable? (distinct (symbols form)))
        binds (mapcat (fn [name] [name `(get ~'context-of-the-event ~(str name))]) names)]
    ((eval `(fn [~'context-of-the-event] (let [~@binds] ~form))) context)))

(defn answer [formula context]
  (try
    (str "= " (str/replace (pr-str (value formula context)) "\n" "\\n"))
    (catch Throwable failure
      (let [cause (or (.getCause failure) failure)]
        (str "! " (.getSimpleName (class cause)) ": " (str/replace (str (.getMessage cause)) #"\s+" " "))))))

(doseq [line (line-seq (java.io.BufferedReader. *in*))]
  (let [[formula context] (read-string line)]
    (println (deref (future (answer formula context)) 10000 "! it does not end"))))
(flush)
(System/exit 0)
